"""Sections of a report: for each, what tables it has. A new one is a function and a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

import attrs
import numpy as np

from salesfunnel.errors import DefinitionError
from salesfunnel.log.labels import Where, attribute_names
from salesfunnel.log.stagelog import Instant, StageLog
from salesfunnel.log.view import View
from salesfunnel.metrics.change import change_by_period
from salesfunnel.metrics.control import control_chart_by_period
from salesfunnel.metrics.conversion import stage_table
from salesfunnel.metrics.cycle import sales_cycle
from salesfunnel.metrics.loss import loss_table
from salesfunnel.metrics.periodic import axis_of
from salesfunnel.metrics.pipeline import CLOSE, pipeline, pipeline_by_period
from salesfunnel.metrics.stalled import stalled
from salesfunnel.metrics.summary import summary
from salesfunnel.metrics.timeinstage import time_in_stage
from salesfunnel.metrics.trend import trend_by_period
from salesfunnel.periods import PERIODS, Period
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed

_MOST_PERIODS = 36
_MOST_ROWS = {"losses": 30, "losses_by_stage": 40, "groups": 30, "stalled": 20, "rejected": 20}
"""How many rows people see of tables that grow with the data; code has them all."""


class Chosen(TypedDict):
    """What every metric takes: the instant, and which opportunities count."""

    as_of: Instant | None
    where: Where | None


@attrs.frozen
class Question:
    """What a report is asked: of which log, at which instant, of whom, by what."""

    log: StageLog
    by: str | Sequence[str] | None
    as_of: Instant | None
    where: Where | None
    mode: str
    period: Period

    @property
    def chosen(self) -> Chosen:
        """The instant and the selection, as keyword arguments."""
        return {"as_of": self.as_of, "where": self.where}

    @property
    def view(self) -> View:
        """What the log says then."""
        return self.log.view(self.as_of, self.where)


@attrs.frozen(slots=False)
class Section:
    """A part of a report.

    Attributes
    ----------
    key : str
        Its name in code, one of `SECTIONS`.
    tables : dict of str to Table
        In the order in which people read them; some sections have none.
    by : tuple of str
        The attributes that make the groups that it compares, if it does.
    """

    key: str
    tables: dict[str, Table]
    by: tuple[str, ...] = ()

    def title(self, lang: str) -> str:
        """Return what people see above it."""
        words = catalogue(lang)
        by = " × ".join(words.header(name) for name in self.by)
        return words.text(f"section.{self.key}", by=by)

    def shown(self, name: str) -> tuple[Table, int]:
        """Return the rows of a table that people see, and how many there are beside them.

        Of many groups it is the largest; the other tables have what matters most first.
        """
        table, most = self.tables[name], _MOST_ROWS.get(name)
        if most is None or len(table) <= most:
            return table, 0
        rows = np.arange(most)
        if name == "groups":
            rows = np.argsort(-table["opportunities"], kind="stable")[:most]
        return table.take(rows), len(table) - most


# ── which there are ───────────────────────────────────────────────────────────────────────────────


def _findings(_: Question) -> dict[str, Table]:
    return {}  # sentences


def _headline(asked: Question) -> dict[str, Table]:
    tables = {"summary": summary(asked.log, **asked.chosen)}
    change = change_by_period(asked.log, period=asked.period, **asked.chosen)
    over = np.flatnonzero(change["complete"])[-1:]
    if len(over) and over[0]:  # there is a period before it
        tables["change"] = change.take(over)
    return tables


def _funnel(asked: Question) -> dict[str, Table]:
    return {"stages": stage_table(asked.log, asked.mode, **asked.chosen)}


def _losses(asked: Question) -> dict[str, Table]:
    return {
        "losses": loss_table(asked.log, **asked.chosen),
        "losses_by_stage": loss_table(asked.log, by_stage=True, **asked.chosen),
    }


def _time(asked: Question) -> dict[str, Table]:
    return {
        "sales_cycle": sales_cycle(asked.log, **asked.chosen),
        "time_in_stage": time_in_stage(asked.log, **asked.chosen),
    }


def _groups(asked: Question) -> dict[str, Table]:
    if asked.by is None:
        return {}
    return {"groups": summary(asked.log, by=asked.by, **asked.chosen)}


def _trend(asked: Question) -> dict[str, Table]:
    return {
        "trend": trend_by_period(asked.log, period=asked.period, **asked.chosen),
        "control_chart": control_chart_by_period(asked.log, period=asked.period, **asked.chosen),
    }


def _pipeline(asked: Question) -> dict[str, Table]:
    tables = {"pipeline": pipeline(asked.log, **asked.chosen)}
    if CLOSE in asked.log.attributes:
        tables["pipeline_by_period"] = pipeline_by_period(asked.log, **asked.chosen)
    return tables


def _stalled(asked: Question) -> dict[str, Table]:
    return {"stalled": stalled(asked.log, **asked.chosen)}


def _definitions(_: Question) -> dict[str, Table]:
    return {}  # its notes are those of all tables


def _rejected(asked: Question) -> dict[str, Table]:
    return {"rejected": asked.log.rejected} if len(asked.log.rejected) else {}


_MAKE: dict[str, Callable[[Question], dict[str, Table]]] = {
    "findings": _findings,
    "headline": _headline,
    "funnel": _funnel,
    "losses": _losses,
    "time": _time,
    "groups": _groups,
    "trend": _trend,
    "pipeline": _pipeline,
    "stalled": _stalled,
    "definitions": _definitions,
    "rejected": _rejected,
}
SECTIONS = tuple(_MAKE)
"""The sections of a report, in the order in which people read them."""


def sections_of(asked: Question, names: Iterable[str] | None) -> tuple[Section, ...]:
    """Return the sections asked for, in the order asked for; by default all that there are.

    Raises
    ------
    DefinitionError
        If there is no such section, or it is asked for twice.
    """
    chosen = SECTIONS if names is None else tuple(names)
    if isinstance(names, str) or len(set(chosen)) < len(chosen) or not {*chosen} <= {*SECTIONS}:
        raise DefinitionError(
            "sections= is some of {known}, each once, not {names!r}",
            known=Listed(SECTIONS),
            names=names,
        )
    if names is not None and "groups" in chosen and asked.by is None:
        raise DefinitionError("the section 'groups' needs by=: the attributes to compare groups by")
    by = () if asked.by is None else attribute_names(asked.by)
    made = ((key, _MAKE[key](asked)) for key in chosen)
    return tuple(
        Section(key, tables, by if key == "groups" else ())
        for key, tables in made
        if key != "groups" or tables
    )


def fitting_period(view: View) -> Period:
    """Return the shortest period that cuts a history into no more than 36 pieces."""
    for unit in PERIODS:
        if axis_of(view, Period(unit), None).n <= _MOST_PERIODS:
            return Period(unit)
    return Period(PERIODS[-1])
