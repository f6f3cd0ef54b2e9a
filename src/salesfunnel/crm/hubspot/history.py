"""What happened to deals → entries: by history, by the dates they entered stages, as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from salesfunnel.crm.cells import day, epoch, fold, text
from salesfunnel.crm.draft import Draft, Entry, Part
from salesfunnel.crm.hubspot.deals import DateEntered, Deals
from salesfunnel.crm.hubspot.pipelines import stage_of_property
from salesfunnel.crm.sheet import Sheet
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Wording

OWN_LABELS = ("owner", "expected_close")
"""The attributes that change with the entries of a deal; all others are of its record."""
_STAGE, _AMOUNT, _OWNER, _CLOSE = "stage", "amount", "owner", "expected_close"
_KINDS: Mapping[str, str] = {
    "dealstage": _STAGE,
    "amount": _AMOUNT,
    "hubspot_owner_id": _OWNER,
    "closedate": _CLOSE,
}
_FOLDED = {fold(name): kind for name, kind in _KINDS.items()}


class Change(NamedTuple):
    """A value that a property of a deal was given, and when.

    Attributes
    ----------
    deal : str
    kind : str
        Which property, of those that are of use here.
    value, at : object
    part : Part
    row : int
    order : object
        Its record number.
    micro : int
        When, in microseconds.
    """

    deal: str
    kind: str
    value: Any
    at: Any
    part: Part
    row: int
    order: Any = 0
    micro: int = 0


class History:
    """Entries of deals, added to a draft.

    Parameters
    ----------
    draft : Draft
        Its attributes end with `OWN_LABELS`.
    deals : Deals
    shared : sequence of sequence
        The attributes that the record of a deal gives to all its entries.
    stage_names : iterable of str
        What stages are called, to recognise them in the names of properties.
    """

    def __init__(
        self,
        draft: Draft,
        deals: Deals,
        shared: Sequence[Sequence[Any]],
        stage_names: Iterable[str],
    ) -> None:
        self._draft = draft
        self._deals = deals
        self._shared = list(zip(*shared, strict=True)) or [()] * len(deals.sheet)
        self._unshared = (None,) * len(shared)
        self._stage_names = {fold(name): name for name in stage_names}

    # ── by history ────────────────────────────────────────────────────────────────────────────────

    def add_nested(self, keys: Sequence[str]) -> set[str]:
        """Add the histories in ``propertiesWithHistory``; return the deals that have one."""
        changes = list(self._nested(keys))
        micro, problems = self._draft.moments(
            [change.at for change in changes], "propertiesWithHistory"
        )
        for place, expected in problems.items():
            part, row = changes[place].part, changes[place].row
            title = part.titles["entered_at"]
            part.sheet.faults.append(part.sheet.fault(row, title, changes[place].at, expected))
        return self._add(
            change._replace(micro=micro[place])
            for place, change in enumerate(changes)
            if place not in problems
        )

    def _nested(self, keys: Sequence[str]) -> Iterator[Change]:
        sheet = self._deals.sheet
        for name, kind in _KINDS.items():
            field = sheet.field(f"propertiesWithHistory.{name}")
            if field is None:
                continue
            for key in keys:
                row = self._deals.row[key]
                values = [] if is_missing(field.cells[row]) else field.cells[row]
                if not isinstance(values, list):
                    expected = Wording("a list of values with their times")
                    sheet.faults.append(sheet.fault(row, field.title, values, expected))
                    continue
                # The newest comes first; of equal times the first to happen must.
                for place in range(len(values) - 1, -1, -1):
                    title, item = f"{field.title}[{place}]", values[place]
                    if not isinstance(item, dict):
                        expected = Wording("a value with its time (a JSON object)")
                        sheet.faults.append(sheet.fault(row, title, item, expected))
                        continue
                    titles = {"stage": f"{title}.value", "entered_at": f"{title}.timestamp"}
                    part = Part(sheet, {**self._deals.titles, **titles})
                    at = epoch([item.get("timestamp")])[0]
                    yield Change(key, kind, item.get("value"), at, part, row)

    def add_table(self, sheet: Sheet, entered_at: str | None, order: str | None) -> set[str]:
        """Add a table of histories, one row for each change; return the deals that are in it.

        Parameters
        ----------
        sheet : Sheet
            May be empty.
        entered_at, order : str, optional
            Names of the columns with the time of entry, and with a record number.
        """
        if not len(sheet):
            return set()
        deal = sheet.needed("deal_id", "dealId", "Record ID", "id")
        value = sheet.needed("value", "Property Value", "dealstage")
        moment = sheet.needed(*((entered_at,) if entered_at else ("date_entered", "timestamp")))
        name = sheet.field("name", "property", "property_name")
        ids = sheet.identifiers(deal)
        kinds = [_STAGE] * len(sheet)
        if name is not None:
            kinds = [_FOLDED.get(fold(text(cell) or ""), "") for cell in name.cells]
        at = epoch(moment.cells)
        for row, key in enumerate(ids):
            if not kinds[row] or key in self._deals.gone:
                sheet.ignore(row)
        micro = self._draft.instants(sheet, moment.title, at)
        titles = {"opportunity": deal.title, "stage": value.title, "entered_at": moment.title}
        part = Part(sheet, {**titles, "amount": value.title, "order": order or "order"})
        numbers = [0] * len(sheet) if order is None else sheet.needed(order).cells
        return self._add(
            Change(key, kinds[row], value.cells[row], at[row], part, row, numbers[row], micro[row])
            for row in sheet.rows
            if (key := ids[row]) is not None
        )

    def _add(self, changes: Iterable[Change]) -> set[str]:
        by_deal: dict[str, list[Change]] = {}
        for change in changes:
            by_deal.setdefault(change.deal, []).append(change)
        told = set()
        for key, members in by_deal.items():
            if any(change.kind == _STAGE for change in members):
                told.add(key)
                members.sort(key=lambda change: change.micro)
                self._add_changes(key, members)
            else:
                self._leave_out(members)
        return told

    def _add_changes(self, key: str, changes: list[Change]) -> None:
        """Add an entry for each stage, and repeat the stage where only something else changed."""
        row = self._deals.row.get(key)
        kinds = {change.kind for change in changes}
        now: dict[str, Any] = {
            _STAGE: None,
            _OWNER: None if row is None or _OWNER in kinds else self._deals.owners[row],
            _AMOUNT: None if row is None or _AMOUNT in kinds else self._deals.amounts[row],
            _CLOSE: None,
        }
        for _, instant in groupby(changes, key=lambda change: change.micro):
            together = list(instant)
            for change in together:
                if change.kind == _OWNER:
                    now[_OWNER] = self._deals.owner_name(text(change.value))
                elif change.kind != _STAGE:
                    now[change.kind] = change.value
            stages = [change for change in together if change.kind == _STAGE]
            if not stages and now[_STAGE] is not None:
                stages = [together[0]._replace(value=now[_STAGE])]
            entered = {change.row for change in stages}
            self._leave_out([change for change in together if change.row not in entered])
            for change in stages:
                now[_STAGE] = text(change.value)
                self._append(change.part, change.row, key, change.at, now, change.order)

    def _leave_out(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.part.sheet is not self._deals.sheet:
                change.part.sheet.ignore(change.row)

    # ── without a history ─────────────────────────────────────────────────────────────────────────

    def add_entered(self, keys: Iterable[str]) -> set[str]:
        """Add the times when deals entered stages, one for each stage; return whose they are."""
        properties = [
            (stage_of_property(self._stage_names, found.stage), found)
            for found in self._deals.entered()
        ]
        place = {state: place for place, state in enumerate(self._draft.meaning.funnel.states)}
        properties.sort(
            key=lambda pair: (
                place.get(self._draft.meaning.state(pair[0]) or "", len(place)),
                not pair[1].newer,
            )
        )
        told = set()
        for key in keys:
            row = self._deals.row[key]
            done: set[str] = set()
            for stage, found in properties:
                if stage not in done and not is_missing(found.at[row]):
                    done.add(stage)
                    self._add_entered(key, row, stage, found)
            if done:
                told.add(key)
        return told

    def _add_entered(self, key: str, row: int, stage: str, found: DateEntered) -> None:
        titles = {**self._deals.titles, "stage": found.title, "entered_at": found.title}
        part = Part(self._deals.sheet, titles)
        self._append(part, row, key, found.at[row], {**self._of_now(row), _STAGE: stage})

    def add_standing(self, keys: Iterable[str]) -> None:
        """Add the one entry that a record without a history tells of.

        An open deal entered its stage when it was created, as far as is known; of a closed one only
        the close is known.
        """
        deals = self._deals
        opened = Part(deals.sheet, {**deals.titles, "entered_at": deals.title("created")})
        closed = Part(deals.sheet, {**deals.titles, "entered_at": deals.title("closed")})
        for key in keys:
            row = deals.row[key]
            if self._draft.meaning.is_closed(deals.stages[row]):
                self._append(closed, row, key, deals.closed[row], self._of_now(row))
            else:
                self._append(opened, row, key, deals.created[row], self._of_now(row))

    def _of_now(self, row: int) -> dict[str, Any]:
        return {
            _STAGE: self._deals.stages[row],
            _OWNER: self._deals.owners[row],
            _AMOUNT: self._deals.amounts[row],
            _CLOSE: None,
        }

    def _append(
        self, part: Part, row: int, key: str, at: Any, now: Mapping[str, Any], order: Any = 0
    ) -> None:
        record = self._deals.row.get(key)
        shared = self._unshared if record is None else self._shared[record]
        currency = None if record is None else self._deals.currencies[record]
        labels = (*shared, now[_OWNER], day(now[_CLOSE]))
        amount = None if is_missing(now[_AMOUNT]) else now[_AMOUNT]
        self._draft.entries.append(
            Entry(part, row, key, now[_STAGE], at, labels, amount, currency, order)
        )
