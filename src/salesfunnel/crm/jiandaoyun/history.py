"""What happened to records → entries: by events, or as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from salesfunnel.crm.cells import epoch
from salesfunnel.crm.draft import Draft, Entry, Part
from salesfunnel.crm.jiandaoyun.fields import (
    AMOUNT,
    CLOSE,
    CLOSED,
    CREATED,
    CURRENCY,
    OPPORTUNITY,
    REASON,
    STAGE,
    Fields,
    label,
    local_day,
)
from salesfunnel.crm.jiandaoyun.responses import (
    CREATE,
    OTHER_OPERATIONS,
    RECOVER,
    REMOVE,
    UPDATE,
)
from salesfunnel.crm.sheet import Sheet
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording

_RANK = {CREATE: 0, UPDATE: 1, RECOVER: 2, REMOVE: 3}


class Records:
    """Records of a form, in a sheet of their own or inside events.

    Parameters
    ----------
    sheet : Sheet
    fields : Fields
    draft : Draft
    prefix : str
        What stands before the names of fields in the sheet.
    """

    def __init__(self, sheet: Sheet, fields: Fields, draft: Draft, prefix: str = "") -> None:
        self.sheet = sheet
        self.ids: list[str | None] = []
        self.titles: dict[str, str] = {}
        self.stages: list[str | None] = []
        self.reasons: list[str | None] = []
        self._amounts: list[Any] = []
        self._currencies: list[str | None] = []
        self._labels: list[tuple[str | None, ...]] = []
        if not len(sheet):
            return
        identifier = fields.needed(sheet, OPPORTUNITY, prefix)
        stage = fields.needed(sheet, STAGE, prefix)
        self.titles = {"opportunity": identifier.title, "stage": stage.title}
        self.ids = sheet.identifiers(identifier)
        self.stages = [label(value) for value in stage.cells]

        def cells(role: str) -> Sequence[Any]:
            found = fields.find(sheet, role, prefix) if role in fields else None
            if found is None:
                return [None] * len(sheet)
            self.titles[role] = found.title
            return found.cells

        self._amounts = [None if is_missing(value) else value for value in cells(AMOUNT)]
        self._currencies = [label(value) for value in cells(CURRENCY)]
        self.reasons = [label(value) for value in cells(REASON)]
        columns = [
            [local_day(value, draft.zone) for value in cells(name)]
            if name == CLOSE
            else [label(value) for value in cells(name)]
            for name in fields.attributes
        ]
        self._labels = list(zip(*columns, strict=True)) or [()] * len(sheet)

    def entry(self, part: Part, row: int, key: str, at: Any) -> Entry:
        """Return the entry that a row tells of."""
        return Entry(
            part,
            row,
            key,
            self.stages[row],
            at,
            self._labels[row],
            self._amounts[row],
            self._currencies[row],
        )


class Events:
    """The events of a data push; one that came twice is one.

    Parameters
    ----------
    sheet : Sheet
        May be empty.
    fields : Fields
    draft : Draft

    Attributes
    ----------
    told : set of str
        Records that have entries by events.
    removed : set of str
        Records that are removed in the end.
    """

    def __init__(self, sheet: Sheet, fields: Fields, draft: Draft) -> None:
        self.told: set[str] = set()
        self.removed: set[str] = set()
        self._sheet = sheet
        self._reasons: dict[str, str | None] = {}
        self._by_record: dict[str, list[int]] = {}
        if not len(sheet):
            return
        operation, moment = sheet.needed("op"), sheet.needed("opTime")
        self._operations = sheet.texts(operation.title)
        for row, given in enumerate(self._operations):
            if given in OTHER_OPERATIONS:
                sheet.ignore(row)
            elif given not in _RANK:
                expected = Wording("one of {known}", known=Listed(_RANK))
                sheet.reject(row, operation.title, operation.cells[row], expected)
        self._records = Records(sheet, fields, draft, "data.")
        self._at = epoch(moment.cells)
        self._micro = draft.instants(sheet, moment.title, self._at)
        self._titles = {**self._records.titles, "entered_at": moment.title}
        columns = [sheet.cells(name) for name in sheet.table.columns]
        sheet.leave_out_copies([repr(cells) for cells in zip(*columns, strict=True)], "op")
        for row in sheet.rows:
            key = self._records.ids[row]
            assert key is not None  # or the row is rejected
            self._by_record.setdefault(key, []).append(row)

    def add(self, draft: Draft, *, keep_removed: bool) -> None:
        """Add an entry for each event that created, changed or recovered a record.

        They count in the order of their time, in whatever order they came. Those of a record that
        is removed in the end are ignored, unless it is kept.
        """
        if not self._by_record:
            return
        part = Part(self._sheet, self._titles)
        for key, rows in self._by_record.items():
            rows.sort(key=lambda row: (self._micro[row], _RANK[self._operations[row] or ""]))
            if self._operations[rows[-1]] == REMOVE and not keep_removed:
                self.removed.add(key)
            for row in rows:
                if key in self.removed or self._operations[row] == REMOVE:
                    self._sheet.ignore(row)
                else:
                    self.told.add(key)
                    self._reasons[key] = self._records.reasons[row]
                    draft.entries.append(self._records.entry(part, row, key, self._at[row]))

    def reason(self, key: str) -> str | None:
        """Return the loss reason in the last event of a record."""
        return self._reasons.get(key)


class Standing:
    """The records of a form as they stand.

    Parameters
    ----------
    sheet : Sheet
        May be empty.
    fields : Fields
    draft : Draft
    """

    def __init__(self, sheet: Sheet, fields: Fields, draft: Draft) -> None:
        self.records = Records(sheet, fields, draft)
        self.row: dict[str, int] = {}
        self._sheet = sheet
        self._created: list[Any] = []
        self._closed: list[Any] | None = None
        self._titles = {CREATED: CREATED, CLOSED: CLOSED}
        if not len(sheet):
            return
        sheet.leave_out_copies(self.records.ids, self.records.titles["opportunity"])
        self.row = {key: row for row in sheet.rows if (key := self.records.ids[row]) is not None}
        created = fields.needed(sheet, CREATED)
        self._created, self._titles[CREATED] = epoch(created.cells), created.title
        closed = fields.find(sheet, CLOSED) if CLOSED in fields else None
        if closed is not None:
            self._closed, self._titles[CLOSED] = epoch(closed.cells), closed.title

    def leave_out(self, keys: set[str]) -> None:
        """Ignore records that were removed."""
        for key in keys & self.row.keys():
            self._sheet.ignore(self.row.pop(key))

    def add(self, draft: Draft, told: set[str]) -> None:
        """Add the one entry that a record without events tells of.

        An open opportunity entered its stage when it was created, as far as is known; of a closed
        one only the close is known, if a field says when that was.
        """
        titles = self.records.titles
        opened = Part(self._sheet, {**titles, "entered_at": self._titles[CREATED]})
        closed = Part(self._sheet, {**titles, "entered_at": self._titles[CLOSED]})
        for key, row in self.row.items():
            if key in told:
                continue
            if not draft.meaning.is_closed(self.records.stages[row]):
                draft.entries.append(self.records.entry(opened, row, key, self._created[row]))
            elif self._closed is None and draft.options.missing_time is None:
                expected = Wording(
                    "the time of the close: fields={'closed': …} names the field with it"
                )
                self._sheet.reject(row, CLOSED, None, expected)
            else:
                at = None if self._closed is None else self._closed[row]
                draft.entries.append(self.records.entry(closed, row, key, at))

    def reason(self, key: str) -> str | None:
        """Return the loss reason that a record has now."""
        row = self.row.get(key)
        return None if row is None else self.records.reasons[row]
