"""What happened to opportunities → entries: stage history, field history, or as they stand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from salesfunnel.crm.cells import day
from salesfunnel.crm.draft import Draft, Entry, Part
from salesfunnel.crm.salesforce.changes import (
    AMOUNT,
    CATEGORY,
    CLOSE,
    CREATED,
    OWNER,
    STAGE,
    Changes,
    Owners,
)
from salesfunnel.crm.salesforce.opportunities import Opportunities, categories
from salesfunnel.crm.salesforce.responses import long_id
from salesfunnel.crm.sheet import Sheet
from salesfunnel.wording import Wording

OWN_LABELS = ("owner", "expected_close", "forecast_category")
"""The attributes that change with the entries of an opportunity; all others are of its record."""
_VERSIONS = Wording(
    "A copy of Opportunity with a row for each version, as Fivetran makes in history mode, has no "
    "time of a change but that of the synchronisation: name it to take it nevertheless, as in "
    "entered_at='_fivetran_start'"
)


class History:
    """Entries of opportunities, added to a draft.

    Parameters
    ----------
    draft : Draft
        Its attributes end with `OWN_LABELS`.
    opportunities : Opportunities
    changes : Changes
        The field history.
    owners : Owners
    shared : sequence of sequence
        The attributes that the record of an opportunity gives to all its entries.
    currency : sequence of str
        Names of the field with the currency.
    order : str, optional
        Name of the field with the record number.
    """

    def __init__(
        self,
        draft: Draft,
        opportunities: Opportunities,
        changes: Changes,
        owners: Owners,
        shared: Sequence[Sequence[Any]],
        currency: Sequence[str],
        order: str | None,
    ) -> None:
        self._draft = draft
        self._records = opportunities
        self._changes = changes
        self._owners = owners
        self._shared = list(zip(*shared, strict=True)) or [()] * len(opportunities.sheet)
        self._unshared = (None,) * len(shared)
        self._currency_names = currency
        self._currency = opportunities.sheet.texts(*currency)
        self._order = order
        currency_title = opportunities.sheet.title(*currency)
        self._opened = Part(
            opportunities.sheet, {**opportunities.titles, "currency": currency_title}
        )
        self._changed = Part(changes.sheet, {**changes.titles, "currency": currency_title})

    def add_stage_history(self, sheet: Sheet, entered_at: str | None) -> set[str]:
        """Add an entry for each record of ``OpportunityHistory``; return whose they are.

        A repeated stage, where only the amount or the date changed, is an entry too: it collapses
        with the one before when the log is counted. The stage is also repeated where the field
        history tells of another owner, which the stage history does not.
        """
        if not len(sheet):
            return set()
        opportunity = sheet.field("OpportunityId")
        if opportunity is None:
            opportunity = sheet.needed(
                "OpportunityId" if entered_at is None else "Id", hint=_VERSIONS
            )
        else:
            sheet.leave_out_copies(sheet.texts("Id"), "Id")
        stage = sheet.needed("StageName", "To Stage", "Stage")
        created = sheet.needed(entered_at or "CreatedDate")
        part = Part(
            sheet,
            {
                "opportunity": opportunity.title,
                "stage": stage.title,
                "entered_at": created.title,
                "amount": sheet.title("Amount"),
                "currency": sheet.title(*self._currency_names),
                "order": self._order or "order",
            },
        )
        ids = sheet.identifiers(opportunity, long_id)
        at = created.cells
        micro = self._draft.instants(sheet, created.title, at)
        names = sheet.texts(stage.title)
        close = [day(value) for value in sheet.cells("CloseDate")]
        category = categories(sheet.cells("ForecastCategory", "To ForecastCategory"))
        amounts, currencies = sheet.cells("Amount"), sheet.texts(*self._currency_names)
        has_amounts = sheet.field("Amount") is not None
        order = self._numbers(sheet)
        moved: dict[str, list[tuple[int, str | None]]] = {}
        for row in sheet.rows:
            key = ids[row]
            assert key is not None  # or the row is rejected
            if key in self._records.gone:
                sheet.ignore(row)
                continue
            record = self._records.row.get(key)
            if self._owners.moves(key):
                moved.setdefault(key, []).append((micro[row], names[row]))
            self._add(
                part,
                row,
                key,
                names[row],
                at[row],
                owner=self._owners.at(key, micro[row]),
                close=close[row],
                category=category[row],
                amount=amounts[row] if has_amounts else _of(self._records.amounts, record),
                currency=currencies[row],
                order=order[row],
            )
        for key, stages in moved.items():
            self._repeat_for_owners(key, sorted(stages, key=lambda entry: entry[0]))
        covered = {key for key in ids if key is not None}
        for key in covered:
            for change in self._changes.of.get(key, ()):
                if change.kind != OWNER:
                    self._changes.sheet.ignore(change.row)
        return covered

    def _repeat_for_owners(self, key: str, stages: list[tuple[int, str | None]]) -> None:
        for move in self._owners.moves(key):
            before = bisect_right(stages, move.micro, key=lambda entry: entry[0])
            if not before:
                self._changes.sheet.ignore(move.row)
                continue
            at, stage = self._changes.at[move.row], stages[before - 1][1]
            owner = self._owners.label(move.new)
            self._add(self._changed, move.row, key, stage, at, owner=owner)

    def add_field_history(self, keys: Iterable[str]) -> set[str]:
        """Add entries by the changes of fields; return the opportunities whose stage they tell.

        The first stage is the old value of the first change of stage, and it was entered when the
        opportunity was created. One whose stage never changed stands where its record says, and its
        other changes repeat that.
        """
        told = set()
        for key in keys:
            moves = self._changes.kinds(key, STAGE)
            row = self._records.row.get(key)
            if moves:
                told.add(key)
                self._add_changes(key, moves[0].old)
            elif row is not None and not self._is_closed(row):
                told.add(key)
                self._add_changes(key, self._records.stages[row])
            else:
                for change in self._changes.of[key]:
                    self._changes.sheet.ignore(change.row)
        return told

    def _add_changes(self, key: str, stage: str | None) -> None:
        row = self._records.row.get(key)
        changes = self._changes.of[key]
        now = {
            STAGE: stage,
            OWNER: self._owners.now(key),
            AMOUNT: _of(self._records.amounts, row),
            # Of now, and not of then: the close of a closed one was not expected on that day.
            CLOSE: None,
            CATEGORY: None,
        }
        for change in reversed(changes):
            now[change.kind] = change.old
        created = [change for change in changes if change.kind == CREATED]
        first = None if row is None else self._records.created[row]
        if first is not None and row is not None and stage is not None:
            self._add_state(self._opened, row, key, first, now)
        elif created and stage is not None:
            row = created.pop(0).row
            self._add_state(self._changed, row, key, self._changes.at[row], now)
        for change in created:
            self._changes.sheet.ignore(change.row)
        for change in changes:
            if change.kind != CREATED:
                now[change.kind] = change.new
                at = self._changes.at[change.row]
                self._add_state(self._changed, change.row, key, at, now)

    # ── opportunities as they stand ───────────────────────────────────────────────────────────────

    def add_standing(self, keys: Iterable[str]) -> None:
        """Add the one entry that a record without a history tells of.

        An open opportunity entered its stage when it was created, as far as is known; of a closed
        one only the close is known.
        """
        sheet = self._records.sheet
        closing = self._records.sheet.cells("CloseDate")
        closed = Part(sheet, {**self._opened.titles, "entered_at": sheet.title("CloseDate")})
        for key in keys:
            row = self._records.row[key]
            is_closed = self._is_closed(row)
            at = self._records.created[row]
            if is_closed:
                # Where the user calls lost what is open in the CRM, nobody knows since when.
                at = None if self._records.closed[row] is False else closing[row]
            self._add(
                closed if is_closed else self._opened,
                row,
                key,
                self._records.stages[row],
                at,
                owner=self._owners.now(key),
                close=self._records.days[row],
                category=self._records.categories[row],
                amount=self._records.amounts[row],
            )

    def _is_closed(self, row: int) -> bool:
        return bool(self._records.closed[row]) or self._draft.meaning.is_closed(
            self._records.stages[row]
        )

    # ── entries ───────────────────────────────────────────────────────────────────────────────────

    def _add_state(self, part: Part, row: int, key: str, at: Any, now: Mapping[str, Any]) -> None:
        self._add(
            part,
            row,
            key,
            now[STAGE],
            at,
            owner=self._owners.label(now[OWNER]),
            close=now[CLOSE],
            category=now[CATEGORY],
            amount=now[AMOUNT],
        )

    def _add(
        self,
        part: Part,
        row: int,
        key: str,
        stage: str | None,
        at: Any,
        *,
        owner: str | None = None,
        close: str | None = None,
        category: str | None = None,
        amount: Any = None,
        currency: str | None = None,
        order: Any = 0,
    ) -> None:
        record = self._records.row.get(key)
        shared = self._unshared if record is None else self._shared[record]
        currency = currency or _of(self._currency, record)
        labels = (*shared, owner, close, category)
        self._draft.entries.append(
            Entry(part, row, key, stage, at, labels, amount, currency, order)
        )

    def _numbers(self, sheet: Sheet) -> list[Any]:
        return [0] * len(sheet) if self._order is None else sheet.needed(self._order).cells


def _of(values: Sequence[Any], row: int | None) -> Any:
    return None if row is None else values[row]
