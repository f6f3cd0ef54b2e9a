"""The records of ``OpportunityFieldHistory``: what changed, from what to what, and when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from salesfunnel.crm.cells import day, fold, text
from salesfunnel.crm.draft import Draft
from salesfunnel.crm.salesforce.opportunities import Opportunities, categories
from salesfunnel.crm.salesforce.responses import long_id
from salesfunnel.crm.sheet import Sheet

STAGE, OWNER, AMOUNT, CREATED = "stage", "owner", "amount", "created"
CLOSE, CATEGORY = "expected_close", "forecast_category"
_KINDS: Mapping[str, str] = {
    "stagename": STAGE,
    "owner": OWNER,
    "ownerid": OWNER,
    "amount": AMOUNT,
    "closedate": CLOSE,
    "forecastcategory": CATEGORY,
    "forecastcategoryname": CATEGORY,
    "created": CREATED,
}


class Change(NamedTuple):
    """One change of one field.

    Attributes
    ----------
    micro : int
        When, in microseconds.
    row : int
    kind : str
        Which field, of those that are of use here.
    old, new : object
    """

    micro: int
    row: int
    kind: str
    old: Any
    new: Any


class Changes:
    """The changes of each opportunity, in their order.

    Parameters
    ----------
    sheet : Sheet
        The records of ``OpportunityFieldHistory``; may be empty.
    draft : Draft
        Whose options say how times are read.
    gone : collection of str
        Opportunities whose changes are ignored.

    Attributes
    ----------
    of : dict of str to list of Change
        Without the changes of fields that are of no use here, which are ignored.
    """

    def __init__(self, sheet: Sheet, draft: Draft, gone: Collection[str] = ()) -> None:
        self.sheet = sheet
        self.of: dict[str, list[Change]] = {}
        self.titles = {"stage": "NewValue", "entered_at": "CreatedDate", "amount": "NewValue"}
        self.at: list[Any] = []
        if not len(sheet):
            return
        opportunity = sheet.needed("OpportunityId", "Opportunity ID")
        field = sheet.needed("Field", "Field / Event")
        created = sheet.needed("CreatedDate", "Edit Date")
        old, new = sheet.needed("OldValue"), sheet.needed("NewValue")
        ids = sheet.identifiers(opportunity, long_id)
        sheet.leave_out_copies(sheet.texts("Id"), "Id")
        kinds = [_KINDS.get(fold(text(name) or "")) for name in field.cells]
        for row, kind in enumerate(kinds):
            if kind is None:
                sheet.ignore(row)
        self.at = created.cells
        micro = draft.instants(sheet, created.title, self.at)
        self.titles = {
            "opportunity": opportunity.title,
            "stage": new.title,
            "entered_at": created.title,
            "amount": new.title,
        }
        for row in sheet.rows:
            key, kind = ids[row], kinds[row]
            if key in gone:
                sheet.ignore(row)
            elif key is not None and kind is not None:
                change = Change(micro[row], row, kind, old.cells[row], new.cells[row])
                self.of.setdefault(key, []).append(_read(change))
        for key, changes in self.of.items():
            # In one save the new stage comes first, so that what else changed belongs to it.
            changes.sort(key=lambda change: (change.micro, change.kind != STAGE))
            self.of[key] = _linked(changes)

    def drop_ignored(self, opportunity: str) -> None:
        """Drop the changes of an opportunity whose records are ignored by now."""
        kept = [change for change in self.of[opportunity] if not self.sheet.is_out(change.row)]
        self.of[opportunity] = kept

    def kinds(self, opportunity: str, kind: str) -> list[Change]:
        """Return an opportunity's changes of one field."""
        return [change for change in self.of.get(opportunity, ()) if change.kind == kind]


def _read(change: Change) -> Change:
    if change.kind == AMOUNT:
        return change
    if change.kind == CATEGORY:
        old, new = categories([change.old, change.new])
    elif change.kind == CLOSE:
        old, new = day(change.old), day(change.new)
    else:
        old, new = text(change.old), text(change.new)
    return change._replace(old=old, new=new)


def _linked(changes: list[Change]) -> list[Change]:
    """Return changes with those of the stage in one instant in the order in which they link up.

    Times are whole seconds, and Salesforce does not say in which order the changes of one second
    were made; but each starts where the one before it ended.
    """
    linked: list[Change] = []
    stage: str | None = None
    for _, together in groupby(changes, key=lambda change: (change.micro, change.kind == STAGE)):
        left = list(together)
        while left:
            follows = [change for change in left if change.old == stage]
            ends = {change.new for change in left}
            starts = [change for change in left if change.old not in ends]
            found = left[0] if left[0].kind != STAGE else (follows or starts or left)[0]
            left.remove(found)
            linked.append(found)
            if found.kind == STAGE:
                stage = found.new
    return linked


class Owners:
    """Who owned an opportunity at a time.

    The history has names or identifiers of users, and often both, in two records of one instant.

    Parameters
    ----------
    opportunities : Opportunities
    changes : Changes
        Doubled changes of owners are taken out.
    """

    def __init__(self, opportunities: Opportunities, changes: Changes) -> None:
        self._names: dict[str, str] = {}
        keys, names = opportunities.keys("Owner"), opportunities.names("Owner")
        for key, name in zip(keys, names, strict=True):
            if key is not None and name is not None and name != key:
                self._names[long_id(key)] = name
        related = opportunities.related.get("Owner")
        if related is not None and (field := related.sheet.field("Name", "Full Name")) is not None:
            for key, row in related.rows.items():
                if (name := text(field.cells[row])) is not None:
                    self._names.setdefault(key, name)
        self._timelines: dict[str, list[Change]] = {}
        for opportunity in changes.of:
            moves = self._paired(changes.kinds(opportunity, OWNER), changes)
            changes.drop_ignored(opportunity)
            if moves:
                self._timelines[opportunity] = moves
        self._learn(opportunities, keys)
        self._now = [self.label(key) or name for key, name in zip(keys, names, strict=True)]
        self._row = opportunities.row

    def label(self, owner: str | None) -> str | None:
        """Return the name of a user whose identifier or name is given."""
        return None if owner is None else self._names.get(long_id(owner), owner)

    def now(self, opportunity: str) -> str | None:
        """Return who owns an opportunity now."""
        row = self._row.get(opportunity)
        return None if row is None else self._now[row]

    def moves(self, opportunity: str) -> list[Change]:
        """Return the changes of an opportunity's owner, in their order."""
        return self._timelines.get(opportunity, [])

    def at(self, opportunity: str, micro: int) -> str | None:
        """Return who owned an opportunity at an instant."""
        moves = self._timelines.get(opportunity)
        if not moves:
            return self.now(opportunity)
        before = bisect_right(moves, micro, key=lambda move: move.micro)
        return self.label(moves[before - 1].new if before else moves[0].old)

    def _paired(self, moves: list[Change], changes: Changes) -> list[Change]:
        """Return changes of owners without their doubles, and learn from these who is who."""
        kept: list[Change] = []
        for move in moves:
            other = kept[-1] if kept else None
            if (
                other is not None
                and other.micro == move.micro
                and _is_user(other.new) != _is_user(move.new)
            ):
                named, numbered = (move, other) if _is_user(other.new) else (other, move)
                for key, name in ((numbered.old, named.old), (numbered.new, named.new)):
                    if key and name:
                        self._names.setdefault(long_id(key), name)
                kept[-1] = named
                changes.sheet.ignore(numbered.row)
            else:
                kept.append(move)
        return kept

    def _learn(self, opportunities: Opportunities, keys: list[str | None]) -> None:
        """Learn the names of owners from the last change of each, where all of them agree."""
        found: dict[str, set[str]] = {}
        for opportunity, moves in self._timelines.items():
            row = opportunities.row.get(opportunity)
            key = None if row is None else keys[row]
            last = moves[-1].new
            if key is not None and last is not None and not _is_user(last):
                found.setdefault(long_id(key), set()).add(last)
        for key, names in found.items():
            if len(names) == 1:
                self._names.setdefault(key, next(iter(names)))


def _is_user(value: Any) -> bool:
    """Return whether a value is the identifier of a user (005…) or of a queue (00G…)."""
    given = value if isinstance(value, str) else ""
    return len(given) in (15, 18) and given.isalnum() and given.startswith(("005", "00G"))
