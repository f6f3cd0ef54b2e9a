"""The engine's rules over a whole log: every breach, one row each."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rules import Rule, reason_verdict, required_fields, verdicts
from salesfunnel.errors import DefinitionError
from salesfunnel.log.naming import catalogue_namer, state_namer
from salesfunnel.log.view import View
from salesfunnel.table import Column, Phrase, Table

_RULE_NAMES = np.array([rule.name.lower() for rule in Rule], object)
_CHUNK = 1 << 16
"""Runs judged at a time: so many that the arrays of a step stay in the cache."""


class Breaches(NamedTuple):
    """Breaches of one kind: runs, the rule of each, and what it is about (a field or a reason)."""

    run: NDArray[np.int64]
    rule: NDArray[np.uint8]
    detail: NDArray[np.object_]

    @classmethod
    def of(cls, run: NDArray[np.int64], rule: Rule, detail: str | None = None) -> Breaches:
        """Return breaches of one rule that are about one thing."""
        return cls(run, np.full(len(run), rule, np.uint8), np.full(len(run), detail, object))


def conform(view: View, policy: Policy | None = None) -> Table:
    """Return every breach of a policy in a view; `StageLog.conform` describes the table."""
    if policy is None:
        policy = Policy()
    elif not isinstance(policy, Policy):
        raise DefinitionError("conform takes a Policy, not {policy!r}", policy=policy)
    unchecked: list[str] = []
    found = [
        _order(view, policy),
        _reasons(view, policy),
        *_required(view, policy, unchecked),
        _time(view),
    ]
    run = np.concatenate([breaches.run for breaches in found])
    rule = np.concatenate([breaches.rule for breaches in found])
    detail = np.concatenate([breaches.detail for breaches in found])
    by_run = np.lexsort((rule, run))
    run, rule, detail = run[by_run], rule[by_run], detail[by_run]

    runs = view.runs
    states, nowhere = np.array([*view.funnel.states, None], object), len(view.funnel.states)
    names = state_namer(view.funnel)
    notes = [Phrase("note.required_unchecked", {"fields": ", ".join(dict.fromkeys(unchecked))})]
    return Table(
        [
            Column("opportunity", view.log.identify(runs.opportunity[run]), "text"),
            Column("entered_at", runs.time[run].view("datetime64[us]"), tz=view.log.tz),
            Column("from", states[runs.before(run, none=nowhere)], labels=names),
            Column("to", states[runs.state[run]], labels=names),
            Column("rule", _RULE_NAMES[rule], labels=catalogue_namer("rule")),
            Column("detail", detail),
        ],
        title=Phrase("title.violations"),
        notes=notes if unchecked else [],
    )


def _order(view: View, policy: Policy) -> Breaches:
    runs = view.runs
    table = np.array(verdicts(view.funnel, policy), np.uint8)
    start, n_states = len(table) - 1, table.shape[1]
    flat = table.reshape(-1)
    found = []
    for begin in range(0, len(runs.state), _CHUNK):
        run = np.arange(begin, min(begin + _CHUNK, len(runs.state)))
        pair = runs.before(run, none=start) * n_states
        pair += runs.state[run]
        found.append(run[flat[pair] != Rule.ALLOWED])
    run = np.concatenate(found) if found else np.zeros(0, np.int64)
    rule = table[runs.before(run, none=start), runs.state[run]]
    if policy.reopen:
        candidate = rule == Rule.REOPENING
        rule[candidate] *= ~_reopened_in_order(view, policy, run[candidate])
        run, rule = run[rule != Rule.ALLOWED], rule[rule != Rule.ALLOWED]
    return Breaches(run, rule, np.full(len(run), None))


def _reopened_in_order(view: View, policy: Policy, run: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which reopenings lead where they should, in time."""
    runs = view.runs
    begin = runs.starts[np.searchsorted(runs.starts, run, side="right") - 1]
    presale = np.append(-1, np.flatnonzero(runs.state < view.funnel.n_presale))
    last_presale = presale[np.searchsorted(presale, run) - 1]
    was_lost = runs.state[run - 1] == view.funnel.lost
    back_to = np.where(was_lost, run - 2, last_presale)
    in_order: NDArray[np.bool_] = (back_to >= begin) & (runs.state[back_to] == runs.state[run])
    if policy.reopen_within is not None:
        limit = policy.reopen_within // timedelta(microseconds=1)
        in_order &= runs.time[run] - runs.time[run - 1] <= limit
    return in_order


def _reasons(view: View, policy: Policy) -> Breaches:
    run = np.flatnonzero(view.runs.state == view.funnel.lost)
    names = view.log.reasons.names if view.log.reasons is not None else ()
    table = np.array(
        [reason_verdict(view.funnel, policy, name) for name in (*names, None)], np.uint8
    )
    reason = view.reason_of(run)
    broken = table[reason] != Rule.ALLOWED
    run, reason = run[broken], reason[broken]
    return Breaches(run, table[reason], np.array([*names, None], object)[reason])


def _required(view: View, policy: Policy, unchecked: list[str]) -> list[Breaches]:
    found = []
    for state, fields in enumerate(required_fields(view.funnel, policy)):
        if not fields:
            continue
        run = np.flatnonzero(view.runs.state == state)
        for field in fields:
            if field == "amount" and view.log.amounts is not None:
                missing = run[np.isnan(view.amount_by(run))]
            elif field in view.log.attributes:
                missing = run[view.label_by(field, run) < 0]
            else:
                unchecked.append(field)
                continue
            found.append(Breaches.of(missing, Rule.REQUIRED_FIELD, field))
    return found


def _time(view: View) -> Breaches:
    """Find the entries that were recorded straight after a later one."""
    if view.log.records is None:
        return Breaches.of(np.zeros(0, np.int64), Rule.TIME_ORDER)
    records, opportunity = view.cut(view.log.records), view.cut(view.log.entries.opportunity)
    rows = np.lexsort((records, opportunity))
    opportunity, time = opportunity[rows], view.cut(view.log.entries.time)[rows]
    went_back = (opportunity[1:] == opportunity[:-1]) & (time[1:] < time[:-1])
    late = rows[1:][went_back]
    run = np.unique(np.searchsorted(view.runs.last, late))
    return Breaches.of(run, Rule.TIME_ORDER)
