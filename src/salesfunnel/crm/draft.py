"""Draft: entries as they are gathered from the tables of a CRM, and the log that they become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects, settled
from salesfunnel.columns.times import read_times
from salesfunnel.crm.meaning import Meaning, names_of_reasons
from salesfunnel.crm.sheet import Sheet
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.codes import factorize_objects
from salesfunnel.log.build import build, rejected_table
from salesfunnel.log.rows import Source
from salesfunnel.log.stagelog import StageLog
from salesfunnel.periods import to_zone
from salesfunnel.table import Table
from salesfunnel.wording import Wording


class Options(NamedTuple):
    """How cells are read, as in `StageLog.from_columns`."""

    ties: str = "input"
    rates: Mapping[str, float] | None = None
    missing_time: datetime | date | str | None = None
    date_format: str | None = None
    tz: str | tzinfo | None = None
    errors: str = "raise"


class Part(NamedTuple):
    """A sheet that entries come from, and what it calls the fields of an entry."""

    sheet: Sheet
    titles: Mapping[str, str]


class Entry(NamedTuple):
    """An entry, unchecked.

    Attributes
    ----------
    part : Part
    row : int
        The row of the sheet that it comes from.
    opportunity : str
    stage : str or None
    entered_at : object
    labels : tuple of object
        The values of the draft's attributes.
    amount, currency, order : object
    """

    part: Part
    row: int
    opportunity: str
    stage: str | None
    entered_at: Any
    labels: tuple[Any, ...] = ()
    amount: Any = None
    currency: str | None = None
    order: Any = None


class Draft:
    """Entries from several sheets, in the order in which equal times are settled.

    Parameters
    ----------
    meaning : Meaning
        What the names of stages mean.
    options : Options
    attributes : sequence of str
        Names of the labels that entries have.

    Attributes
    ----------
    entries : list of Entry
    zone : tzinfo or None
        Of times that name none.
    """

    def __init__(self, meaning: Meaning, options: Options, attributes: Sequence[str] = ()) -> None:
        if options.errors not in ("raise", "collect"):
            raise DefinitionError(
                "errors= is 'raise' or 'collect', not {given!r}", given=options.errors
            )
        self.meaning = meaning
        self.options = options
        self.attributes = tuple(attributes)
        self.entries: list[Entry] = []
        self.zone = None if options.tz is None else to_zone(options.tz)
        self._reasons: dict[int, str | None] = {}
        self._last: tuple[int, dict[str, int]] | None = None

    # ── times ─────────────────────────────────────────────────────────────────────────────────────

    def instants(self, sheet: Sheet, title: str, values: Sequence[Any]) -> list[int]:
        """Return a sheet's times as microseconds in UTC; rows without one are rejected."""
        micro, problems = self.moments(values, title)
        for row, expected in problems.items():
            sheet.reject(row, title, values[row], expected)
        return micro

    def moments(self, values: Sequence[Any], title: str) -> tuple[list[int], dict[int, str]]:
        """Return times as microseconds in UTC, and what was expected where they are none."""
        micro, rejects = self._read_times(values, title)
        problems = {bad.row: bad.expected for bad in rejects.settle()}
        return [int(moment) for moment in micro.tolist()], problems

    def _read_times(self, values: Sequence[Any], title: str) -> tuple[NDArray[np.int64], Rejects]:
        rejects = Rejects(len(values), "collect")
        micro = read_times(
            values,
            rejects,
            column=title,
            tz=self.zone,
            date_format=self.options.date_format,
            missing=self.options.missing_time,
        )
        return micro, rejects

    # ── what is said of opportunities, not of entries ─────────────────────────────────────────────

    def last_entries(self) -> dict[str, int]:
        """Return the place of each opportunity's last entry that can be one."""
        entries = self.entries
        if self._last is not None and self._last[0] == len(entries):
            return self._last[1]
        micro, rejects = self._read_times(
            [entry.entered_at for entry in entries], self._title("entered_at")
        )
        is_entry = [self.meaning.state(entry.stage) is not None for entry in entries]
        codes, ids = factorize_objects(entry.opportunity for entry in entries)
        order = np.lexsort((micro, codes))
        order = order[~rejects.bad[order] & np.array(is_entry, bool)[order]]
        is_last = np.ones(len(order), bool)
        is_last[:-1] = codes[order][1:] != codes[order][:-1]
        last = {ids[codes[place]]: place for place in order[is_last].tolist()}
        self._last = (len(entries), last)
        return last

    def complete(self, name: str, value_of: Callable[[str], Any]) -> None:
        """Give the last entry of each opportunity the label that it has now, if it has none.

        Earlier entries get none: what is expected now was not known then.
        """
        index = self.attributes.index(name)
        for opportunity, place in self.last_entries().items():
            entry = self.entries[place]
            if entry.labels[index] is None:
                labels = list(entry.labels)
                labels[index] = value_of(opportunity)
                self.entries[place] = entry._replace(labels=tuple(labels))

    def give_reasons(self, reason_of: Callable[[str], str | None]) -> None:
        """Give the last entry of each opportunity the loss reason that the CRM has now.

        Earlier losses, since reopened, get none. The names of the funnel's reasons become keys.
        """
        keys = names_of_reasons(self.meaning.funnel)
        for opportunity, place in self.last_entries().items():
            reason = reason_of(opportunity)
            self._reasons[place] = None if reason is None else keys.get(reason, reason)

    def check_standing(
        self, sheet: Sheet, title: str, now: Iterable[tuple[int, str, str | None]]
    ) -> None:
        """Reject rows whose stage is another than where the history ends.

        An entry is missing then, and when it happened is not known.

        Parameters
        ----------
        now : iterable of tuple
            Row, opportunity, and the stage in that row.
        """
        last = self.last_entries()
        for row, opportunity, name in now:
            place, state = last.get(opportunity), self.meaning.state(name)
            if place is None or state is None:
                continue
            known = self.entries[place].stage
            if self.meaning.state(known) != state:
                expected = Wording(
                    "{known!r}, where its history ends: an entry is missing there, and its "
                    "time is not known",
                    known=known,
                )
                sheet.faults.append(sheet.fault(row, title, name, expected))

    # ── the log ───────────────────────────────────────────────────────────────────────────────────

    def log(
        self, sheets: Sequence[Sheet], *, currency: str | None = None, ordered: bool = False
    ) -> StageLog:
        """Return the log.

        Parameters
        ----------
        sheets : sequence of Sheet
            All that were read, whose faults and ignored rows count too.
        currency : str, optional
            Currency of the amounts that name none.
        ordered : bool
            Whether the record numbers settle equal times.

        Raises
        ------
        DataError, NaiveTimeError, CurrencyError, DefinitionError
            As in `StageLog.from_columns`.
        """
        options = self.options
        columns = list(zip(*self.entries, strict=True)) or [()] * len(Entry._fields)
        field = dict(zip(Entry._fields, map(list, columns), strict=True))
        labels = list(zip(*field["labels"], strict=True)) or [()] * len(self.attributes)
        attributes = dict(zip(self.attributes, map(list, labels), strict=True))
        reasons = [self._reasons.get(place) for place in range(len(self.entries))]
        # Errors of the whole source speak of these columns; those of a row are reworded below.
        titles = {name: self._title(name) for name in ("entered_at", "currency")}
        source = Source(
            opportunity=field["opportunity"],
            stage=field["stage"],
            entered_at=field["entered_at"],
            reason=_unless_empty(reasons),
            attributes={name: values for name, values in attributes.items() if any_given(values)},
            amount=_unless_empty(field["amount"]),
            order=field["order"] if ordered else None,
            currency=[given or currency for given in field["currency"]]
            if any_given(field["currency"])
            else currency,
            titles=titles,
        )
        log = build(
            self.meaning.funnel,
            source,
            stage_map=self.meaning.stage_map,
            ties=options.ties,
            rates=options.rates,
            missing_time=options.missing_time,
            date_format=options.date_format,
            tz=options.tz,
            errors="collect",
        )
        self._note_rejected(log.rejected, {title: name for name, title in titles.items()})
        faults = [
            bad for sheet in sheets for bad in sorted(sheet.faults, key=lambda fault: fault.row)
        ]
        log.rejected = rejected_table(settled(faults, options.errors))
        log.ignored += sum(sheet.ignored for sheet in sheets)
        return log

    def _title(self, field: str) -> str:
        parts = {id(entry.part): entry.part for entry in self.entries}.values()
        titles = [part.titles[field] for part in parts if field in part.titles]
        return " or ".join(dict.fromkeys(titles)) or field

    def _note_rejected(self, rejected: Table, fields: Mapping[str, str]) -> None:
        """Note rejected entries, which are numbered as the draft has them, in their sheets."""
        columns = (rejected[name].tolist() for name in ("row", "column", "value", "expected"))
        for place, column, value, expected in zip(*columns, strict=True):
            entry = self.entries[place]
            title = entry.part.titles.get(fields.get(column, column), column)
            sheet = entry.part.sheet
            sheet.faults.append(sheet.fault(entry.row, title, value, expected))


def any_given(values: Iterable[Any]) -> bool:
    """Return whether any value is not None."""
    return any(value is not None for value in values)


def _unless_empty(values: list[Any]) -> list[Any] | None:
    return values if any_given(values) else None
