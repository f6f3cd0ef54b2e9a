"""Whose lead it is: owners with room, territories and turns."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import attrs
import numpy as np

from salesfunnel.columns.values import plain_values
from salesfunnel.errors import DefinitionError
from salesfunnel.model.missing import is_missing
from salesfunnel.model.validation import is_key
from salesfunnel.scoring.criteria import to_parts
from salesfunnel.scoring.workload import Workload
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.wording import Listed, Wording

RULES = ("round_robin", "load")
"""Who of several gets a lead: the one who has waited longest, or the one with the most room."""


def _to_territories(names: Iterable[str]) -> tuple[str, ...]:
    members = (names,) if isinstance(names, str) else tuple(names)
    if all(isinstance(name, str) and name for name in members):
        return members
    raise DefinitionError("territories are a sequence of texts, not {names!r}", names=names)


def _to_count(value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= 0:
        return int(value)
    raise DefinitionError(
        "a number of leads is a whole number of 0 or more, not {value!r}", value=value
    )


@attrs.frozen(slots=False)
class Owner:
    """Somebody who takes leads.

    Parameters
    ----------
    key : str
        What data and code call them.
    capacity : int, optional
        How many leads they can work on, those that they have among them; None for any number.
    territories : sequence of str
        Where they take leads; none given means everywhere.
    has : int
        How many they have already.

    Raises
    ------
    DefinitionError
        If a value is not of this form.
    """

    key: str = attrs.field(validator=is_key)
    capacity: int | None = attrs.field(default=None, kw_only=True, converter=_to_count)
    territories: tuple[str, ...] = attrs.field(default=(), kw_only=True, converter=_to_territories)
    has: int = attrs.field(default=0, kw_only=True, converter=_to_count)


def assign(
    leads: Any,
    owners: Iterable[Owner | str],
    *,
    rule: str = "round_robin",
    territory: Any = None,
    owner: Any = None,
    after: str | None = None,
) -> Table:
    """Return an owner for each lead, in the order given, as from `prioritise`.

    Parameters
    ----------
    leads : (N,) sequence of Lead, or of identifiers
        The first choose first.
    owners : iterable of Owner or str
        A text stands for an owner with that key, without limits.
    rule : {"round_robin", "load"}
        Who of those that may take a lead gets it: whoever has gone longest without one, or whoever
        has filled the least share of their capacity (whoever has the fewest, where nobody has a
        limit). Of equal ones the first.
    territory : str or (N,) sequence, optional
        The field of the leads, or their values, by which territories are told apart, as in
        ``"region"``. A lead without one goes to owners who take leads from everywhere.
    owner : (N,) sequence, optional
        The present owners; by default those of the leads. A lead that has one keeps it, and counts
        in what they have.
    after : str, optional
        The owner who got the last lead of the round before: with ``rule="round_robin"`` the turn is
        the next one's.

    Returns
    -------
    Table
        A row for each lead, in the order given: ``lead``, ``territory`` if there are any, ``owner``
        (None if there is none for it), and ``reason``: ``kept``, ``turn``, ``load``,
        ``no_territory`` or ``no_capacity``.

    Raises
    ------
    DefinitionError, DuplicateKeyError, ShapeError
        If an argument is not of this form.

    Examples
    --------
    >>> table = assign(["L1", "L2", "L3", "L4"], [Owner("li", capacity=1), "wang"])
    >>> table["owner"].tolist()
    ['li', 'wang', 'wang', 'wang']
    """
    if rule not in RULES:
        raise DefinitionError(
            "rule= is one of {known}, not {rule!r}", known=Listed(RULES), rule=rule
        )
    named = [Owner(each) if isinstance(each, str) else each for each in owners]
    desk = _Desk(to_parts(named, Owner, Wording("owners")), rule, after)
    if territory is None and any(each.territories for each in desk.owners):
        raise DefinitionError("owners have territories, and territory= says where leads belong")
    work = Workload(leads)
    places = _labels(work, territory, "territory")
    taken = _labels(work, owner, "owner") if owner is not None or work.leads is not None else None
    for key in taken or ():
        desk.keep(key)
    found, reasons = np.empty(len(work), object), np.empty(len(work), object)
    for row in range(len(work)):
        if taken is not None and taken[row] is not None:
            found[row], reasons[row] = taken[row], "kept"
        else:
            found[row], reasons[row] = desk.take(None if places is None else places[row])
    columns = [Column("lead", work.ids)]
    if places is not None:
        columns.append(Column("territory", _objects(places)))
    columns += [Column("owner", found), Column("reason", reasons, labels=_why, title="decision")]
    return Table(
        columns, title=Phrase("title.assignment"), notes=[Phrase(f"note.assigned_by_{rule}")]
    )


def _objects(values: list[str | None]) -> Any:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _why(key: str, lang: str) -> str:
    return catalogue(lang).text(f"value.assigned_{key}")


def _labels(work: Workload, given: Any, name: str) -> list[str | None] | None:
    """Return a label of each lead: a field of theirs, or what is given."""
    if given is None and name == "owner":
        return [lead.owner for lead in work.of_leads("owner=None")]
    if given is None:
        return None
    if isinstance(given, str):
        values: Any = [
            lead.value(given) for lead in work.of_leads(Wording("{name}= by a field", name=name))
        ]
    else:
        values = plain_values(work.column(given, name))
    return [None if is_missing(value) else str(value) for value in values]


class _Desk:
    """Gives out leads, one after the other.

    In each territory the owners wait in a queue of their own, the next one in front. Whoever got a
    lead goes to the end of all of theirs; an entry that is out of date is dropped when it comes to
    the front.
    """

    def __init__(self, owners: tuple[Owner, ...], rule: str, after: str | None) -> None:
        if not owners:
            raise DefinitionError("leads are assigned to at least one owner; none was given")
        keys = [each.key for each in owners]
        if after is not None and after not in keys:
            raise DefinitionError(
                "after= is one of {known}, not {after!r}", known=Listed(keys), after=after
            )
        if rule == "load" and len({each.capacity is None for each in owners}) > 1:
            raise DefinitionError("by load either every owner has a capacity, or none has")
        first = 0 if after is None else keys.index(after) + 1
        n = len(owners)
        self.rule = "turn" if rule == "round_robin" else rule
        self.owners = owners
        self.place = {key: index for index, key in enumerate(keys)}
        self.has = [each.has for each in owners]
        # Who is next after the last one stands in front.
        self.turn = [(index - first) % n for index in range(n)]
        self.turns = n
        self.queues: dict[str | None, list[tuple[float, int]]] = {}
        self.why_nobody: dict[str | None, str] = {}

    def keep(self, key: str | None) -> None:
        """Count a lead that has an owner; one who is not on the list does not matter."""
        if key in self.place:
            self.has[self.place[key]] += 1

    def take(self, territory: str | None) -> tuple[str | None, str]:
        """Return who gets a lead, and why; or None, and why not."""
        queue = self.queues.get(territory)
        if queue is None:
            takers = [
                index
                for index, each in enumerate(self.owners)
                if not each.territories or territory in each.territories
            ]
            queue = self.queues[territory] = [self._entry(index) for index in takers]
            heapq.heapify(queue)
            self.why_nobody[territory] = "no_capacity" if takers else "no_territory"
        while queue:
            index = queue[0][-1]
            capacity = self.owners[index].capacity
            if capacity is not None and self.has[index] >= capacity:
                heapq.heappop(queue)
            elif queue[0] != self._entry(index):
                heapq.heapreplace(queue, self._entry(index))
            else:
                self.has[index] += 1
                self.turn[index] = self.turns
                self.turns += 1
                return self.owners[index].key, self.rule
        return None, self.why_nobody[territory]

    def _entry(self, index: int) -> tuple[float, int]:
        if self.rule == "turn":
            return self.turn[index], index
        # Full ones are passed over, so that a capacity of 0 is never divided by.
        return self.has[index] / (self.owners[index].capacity or 1), index
