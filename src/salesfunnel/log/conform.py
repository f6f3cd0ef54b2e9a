"""The engine's rules over a whole log: every breach, one row each."""

from __future__ import annotations

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


class Breaches(NamedTuple):
    """Breaches of one kind: runs, the rule of each, and what it is about (a field or a reason)."""

    run: NDArray[np.int64]
    rule: NDArray[np.uint8]
    detail: NDArray[np.object_]


def conform(view: View, policy: Policy | None = None) -> Table:
    """Return every breach of a policy in a view; `StageLog.conform` describes the table."""
    if policy is None:
        policy = Policy()
    elif not isinstance(policy, Policy):
        raise DefinitionError(f"conform takes a Policy, not {policy!r}")
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
    states = np.array([*view.funnel.states, None], object)
    names = state_namer(view.funnel)
    notes = [Phrase("note.required_unchecked", {"fields": ", ".join(dict.fromkeys(unchecked))})]
    return Table(
        [
            Column("opportunity", view.log.opportunities[runs.opportunity[run]], "text"),
            Column("entered_at", runs.time[run].view("datetime64[us]")),
            Column("from", states[_source(view)[run]], labels=names),
            Column("to", states[runs.state[run]], labels=names),
            Column("rule", _RULE_NAMES[rule], labels=catalogue_namer("rule")),
            Column("detail", detail),
        ],
        title=Phrase("title.violations"),
        notes=notes if unchecked else [],
    )


def _source(view: View) -> NDArray[np.uint8]:
    """Return the state before each run; S where the run is the opportunity's first."""
    source = np.empty_like(view.runs.state)
    source[1:] = view.runs.state[:-1]
    source[view.runs.starts] = len(view.funnel.states)
    return source


def _order(view: View, policy: Policy) -> Breaches:
    table = np.array(verdicts(view.funnel, policy), np.uint8)
    runs = view.runs
    source = _source(view)
    verdict = table[source, runs.state]
    run = np.flatnonzero(verdict)
    rule = verdict[run]
    if policy.reopen:
        in_order = _reopened_in_order(view, policy, run[rule == Rule.REOPENING])
        rule[rule == Rule.REOPENING] = np.where(in_order, Rule.ALLOWED, Rule.REOPENING)
        run, rule = run[rule != Rule.ALLOWED], rule[rule != Rule.ALLOWED]
    return Breaches(run, rule, np.full(len(run), None))


def _reopened_in_order(view: View, policy: Policy, run: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which reopenings lead where they should, in time."""
    runs, presale = view.runs, view.funnel.n_presale
    index = np.arange(len(runs.state))
    begin = runs.starts[runs.member[run]]
    last_presale = np.maximum.accumulate(np.where(runs.state < presale, index, -1))
    was_lost = runs.state[run - 1] == view.funnel.lost
    back_to = np.where(was_lost, run - 2, last_presale[run - 1])
    in_order: NDArray[np.bool_] = (back_to >= begin) & (runs.state[back_to] == runs.state[run])
    if policy.reopen_within is not None:
        limit = np.timedelta64(policy.reopen_within).astype("timedelta64[us]").astype(np.int64)
        in_order &= runs.time[run] - runs.time[run - 1] <= limit
    return in_order


def _reasons(view: View, policy: Policy) -> Breaches:
    run = np.flatnonzero(view.runs.state == view.funnel.lost)
    names = view.log.reasons.names if view.log.reasons is not None else ()
    table = np.array(
        [reason_verdict(view.funnel, policy, name) for name in (*names, None)], np.uint8
    )
    reason = view.reason_of(run)
    rule = table[reason]
    broken = rule != Rule.ALLOWED
    detail = np.array([*names, None], object)[reason]
    return Breaches(run[broken], rule[broken], detail[broken])


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
            found.append(
                Breaches(
                    missing,
                    np.full(len(missing), Rule.REQUIRED_FIELD, np.uint8),
                    np.full(len(missing), field, object),
                )
            )
    return found


def _time(view: View) -> Breaches:
    run = view.runs_of(view.log.out_of_order)
    return Breaches(run, np.full(len(run), Rule.TIME_ORDER, np.uint8), np.full(len(run), None))
