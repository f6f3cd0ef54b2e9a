"""Hypothesis strategies for your own tests: funnels, policies, opportunities and logs.

Needs the extra ``testing``. Whatever they draw is valid, and what they shrink to is plain: a funnel
of one stage, the default policy, an opportunity just opened, an empty log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from dateutil.tz import gettz

from salesfunnel.engine.engine import TransitionEngine
from salesfunnel.engine.policy import LOSS_REASONS, Policy
from salesfunnel.engine.rulebook import Move
from salesfunnel.errors import DefinitionError, MissingExtraError
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import MAX_STAGES, Funnel
from salesfunnel.model.opportunity import Opportunity
from salesfunnel.model.stage import FORECAST_CATEGORIES, LOST, WON, LossReason, Stage

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError("salesfunnel.testing", "testing") from error

__all__ = ["funnels", "logs", "opportunities", "policies"]


def funnels(
    *, min_stages: int = 1, max_stages: int = 5, max_post_sale: int = 2, max_reasons: int = 3
) -> st.SearchStrategy[Funnel]:
    """Return a strategy for funnels of every kind.

    Keys and names are any texts that are allowed. Stages have probabilities, maximum ages, required
    fields, forecast categories and targets, or not. The list of loss reasons may be empty, or
    closed.

    Parameters
    ----------
    min_stages, max_stages : int
        How many stages there are, those after the sale included: at least 1, at most 250.
    max_post_sale : int
        How many of them come after the sale at most; 0 for none.
    max_reasons : int
        How many loss reasons there are at most.

    Raises
    ------
    DefinitionError
        If the limits leave no funnel.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(funnels(max_stages=3))
    ... def test_it_survives_as_plain_data(funnel):
    ...     assert Funnel.from_dict(funnel.to_dict()) == funnel
    >>> test_it_survives_as_plain_data()
    """
    if not 1 <= min_stages <= max_stages <= MAX_STAGES or max_post_sale < 0 or max_reasons < 0:
        raise DefinitionError(
            "a funnel has 1 to {limit} stages and no less than none of anything else; given: "
            "min_stages={min_stages}, max_stages={max_stages}, max_post_sale={max_post_sale}, "
            "max_reasons={max_reasons}",
            limit=MAX_STAGES,
            min_stages=min_stages,
            max_stages=max_stages,
            max_post_sale=max_post_sale,
            max_reasons=max_reasons,
        )
    return _funnels(min_stages, max_stages, max_post_sale, max_reasons)


def policies() -> st.SearchStrategy[Policy]:
    """Return a strategy for policies; the simplest is the default one, and every rule varies.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(policies())
    ... def test_a_time_limit_needs_reopening(policy):
    ...     assert policy.reopen or policy.reopen_within is None
    >>> test_a_time_limit_needs_reopening()
    """
    limits = st.sampled_from([0, 1, 2, None])
    reopening = st.just({"reopen": False, "reopen_within": None}) | st.fixed_dictionaries(
        {"reopen": st.just(True), "reopen_within": st.none() | _AGES}
    )
    return st.builds(
        lambda reopening, **rules: Policy(**reopening, **rules),
        reopening,
        any_start=st.booleans(),
        skip=limits,
        back=limits,
        win_early=st.booleans(),
        loss_reason=st.sampled_from(LOSS_REASONS),
        required_fields=st.sampled_from([True, False]),
    )


def opportunities(
    funnel: Funnel,
    policy: Policy | None = None,
    *,
    max_changes: int = 8,
    currency: str = "CNY",
) -> st.SearchStrategy[Opportunity]:
    """Return a strategy for opportunities whose histories the engine accepts.

    An engine opens and moves them, by any of the moves that the policy leaves. They have the fields
    that stages require, and some others. All amounts are in one currency, so that a log can be made
    of several; a log also needs distinct ids, which a list of them has with
    ``unique_by=lambda opportunity: opportunity.id``.

    Parameters
    ----------
    funnel : Funnel
    policy : Policy, optional
        What is allowed; the default is strict.
    max_changes : int
        How many changes follow the opening at most.
    currency : str
        Currency of the amounts.

    Raises
    ------
    DefinitionError
        If `funnel` is no Funnel, or `policy` no Policy.

    Examples
    --------
    >>> from hypothesis import given
    >>> funnel = Funnel(["lead", "demo"], ["price"])
    >>> engine = TransitionEngine(funnel)
    >>> @given(opportunities(funnel))
    ... def test_what_is_closed_may_go_nowhere(opportunity):
    ...     is_closed = opportunity.stage in ("won", "lost")
    ...     assert is_closed == (engine.moves(opportunity) == ())
    >>> test_what_is_closed_may_go_nowhere()
    """
    return _opportunities(TransitionEngine(funnel, policy), max_changes, currency)


def logs(
    funnel: Funnel | None = None,
    *,
    max_opportunities: int = 4,
    max_entries: int = 8,
    attributes: Sequence[str] = ("owner", "source"),
) -> st.SearchStrategy[StageLog]:
    """Return a strategy for logs of anything that can be loaded, allowed by an engine or not.

    Skips, step-backs, reopenings, wins undone, churn, entries repeated or at the same instant, in
    any order of rows, with reasons missing or unknown, labels that change and amounts that come and
    go: what a log meets in real data. A failing example is printed as the call that makes the log.

    Parameters
    ----------
    funnel : Funnel, optional
        The funnel of all logs; without it each has its own, from `funnels`.
    max_opportunities : int
        How many opportunities a log has at most.
    max_entries : int
        How many entries each of them has at most.
    attributes : sequence of str
        Names of the attributes.

    Raises
    ------
    DefinitionError
        If `funnel` is no Funnel.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(logs())
    ... def test_everyone_who_entered_went_on_or_was_lost_or_is_still_there(log):
    ...     table = log.stage_counts()
    ...     assert (table.entered == table.advanced + table.lost + table.open).all()
    >>> test_everyone_who_entered_went_on_or_was_lost_or_is_still_there()
    """
    if funnel is not None and not isinstance(funnel, Funnel):
        raise DefinitionError("the funnel of logs is a Funnel, not {funnel!r}", funnel=funnel)
    return _logs(funnel, max_opportunities, max_entries, tuple(attributes))


# ── texts, times and amounts ──────────────────────────────────────────────────────────────────────

_TEXTS = (
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)
_STAGE_KEYS = st.sampled_from(["lead", "demo", "offer", "contract", "delivery"]) | _TEXTS.filter(
    lambda text: text not in (WON, LOST)
)
_REASON_KEYS = st.sampled_from(["price", "timing", "competitor"]) | _TEXTS
_NAMES = st.dictionaries(st.sampled_from(["en", "zh"]), _TEXTS, max_size=2)
_SOME_LABELS = ("li.na", "王伟", "a, b")
_LABELS = st.sampled_from(_SOME_LABELS)
_AGES = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))
_AMOUNTS = st.decimals(0, 1_000_000, places=2)

_FIRST = datetime(2020, 1, 6, tzinfo=UTC)
_LATER = st.integers(0, 10_000_000)  # minutes
_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), gettz("America/New_York")])
# A day comes first, so that no time at all, a tie, is left only where it matters.
_GAPS = st.sampled_from([timedelta(days=1), timedelta(0)]) | st.timedeltas(
    timedelta(0), timedelta(days=90)
)


def _some_of(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for none or some of the values, by name."""
    return st.just({}) | st.fixed_dictionaries({}, optional=values)


# ── funnels ───────────────────────────────────────────────────────────────────────────────────────

_STAGE_VALUES = _some_of(
    name=_TEXTS,
    names=_NAMES,
    probability=st.floats(0, 1),
    max_age=_AGES,
    required=st.lists(
        st.sampled_from(["contact", "amount", "expected_close", "budget"]), max_size=2, unique=True
    ),
    forecast_category=st.sampled_from(FORECAST_CATEGORIES),
    target_conversion=st.floats(0, 1),
    target_loss=st.floats(0, 1),
)
_REASON_VALUES = _some_of(name=_TEXTS, names=_NAMES, category=_TEXTS)
_FUNNEL_VALUES = _some_of(name=_TEXTS, reasons_closed=st.booleans())


@st.composite
def _funnels(
    draw: st.DrawFn, min_stages: int, max_stages: int, max_post_sale: int, max_reasons: int
) -> Funnel:
    keys = draw(st.lists(_STAGE_KEYS, min_size=min_stages, max_size=max_stages, unique=True))
    n_post_sale = draw(st.integers(0, min(max_post_sale, len(keys) - 1)))
    stages = []
    for place, key in enumerate(keys):
        values = {**draw(_STAGE_VALUES), "post_sale": place >= len(keys) - n_post_sale}
        if values["post_sale"]:
            values.pop("target_loss", None)
        stages.append(Stage(key, **values))
    reasons = draw(st.lists(_REASON_KEYS, max_size=max_reasons, unique=True))
    return Funnel(
        stages,
        [LossReason(key, **draw(_REASON_VALUES)) for key in reasons],
        **draw(_FUNNEL_VALUES),
    )


# ── opportunities ─────────────────────────────────────────────────────────────────────────────────

_OWN_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "customer": _LABELS,
    "contact": _LABELS,
    "owner": _LABELS,
    "source": _LABELS,
    "product": _LABELS,
    "amount": _AMOUNTS,
    "expected_close": st.dates(date(2020, 1, 6), date(2049, 12, 31)),
}
_REMARKS = _some_of(by=_LABELS, note=_TEXTS)


@st.composite
def _opportunities(
    draw: st.DrawFn, engine: TransitionEngine, max_changes: int, currency: str
) -> Opportunity:
    zone, now = draw(_ZONES), _FIRST + timedelta(minutes=draw(_LATER))
    opportunity = Opportunity(
        f"O-{draw(st.integers(1, 999))}",
        currency=currency,
        created_at=now.astimezone(zone),
        **draw(_values(engine.funnel)),
    )
    starts = [move.stage for move in engine.moves(opportunity)]
    opportunity = engine.open(
        opportunity, at=now.astimezone(zone), stage=draw(st.sampled_from(starts)), **draw(_REMARKS)
    )
    reasons = _reasons(
        engine.funnel,
        listed_only=engine.policy.loss_reason == "known",
        needed=engine.policy.loss_reason != "optional",
    )
    for _ in range(draw(st.integers(0, max_changes))):
        now += draw(_GAPS)
        moves = [
            move.stage
            for move in sorted(engine.moves(opportunity, at=now), key=_by_simplicity)
            if move.kind != "lose" or not reasons.is_empty
        ]
        if not moves:
            break
        stage = draw(st.sampled_from(moves))
        opportunity = engine.move(
            opportunity,
            stage,
            at=now.astimezone(zone),
            reason=draw(reasons) if stage == LOST else None,
            **draw(_REMARKS),
        )
    return opportunity


def _values(funnel: Funnel) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for the values that the stages require, and perhaps some others."""
    required = {field for stage in funnel for field in stage.required}
    own = {name: values for name, values in _OWN_VALUES.items() if name in required}
    others = {name: values for name, values in _OWN_VALUES.items() if name not in required}
    free = required - {*_OWN_VALUES, "id", "currency", "created_at"}
    fields = st.fixed_dictionaries(dict.fromkeys(sorted(free), _LABELS))
    needed = {**own, "fields": fields}
    return st.fixed_dictionaries(needed) | st.fixed_dictionaries(needed, optional=others)


def _by_simplicity(move: Move) -> int:
    return ("advance", "win", "lose", "skip", "back", "reopen").index(move.kind)


def _reasons(funnel: Funnel, *, listed_only: bool, needed: bool) -> st.SearchStrategy[str | None]:
    """Return a strategy for the reasons that a loss may have; an empty one if there can be none."""
    listed = st.sampled_from([reason.key for reason in funnel.loss_reasons])
    return st.one_of(
        st.nothing() if needed else st.none(),
        listed if funnel.loss_reasons else st.nothing(),
        st.nothing() if listed_only or funnel.reasons_closed else _TEXTS,
    )


# ── logs ──────────────────────────────────────────────────────────────────────────────────────────

_ONWARD, _AGAIN = "onward", "again"
_HOURS = (24, 0, 1, 100, 2000)
_LOG_AMOUNTS = (None, 0, 1, 12_500, 80_000, 1_000_000)


@st.composite
def _logs(
    draw: st.DrawFn,
    funnel: Funnel | None,
    max_opportunities: int,
    max_entries: int,
    attributes: tuple[str, ...],
) -> StageLog:
    if funnel is None:
        funnel = draw(funnels())
    reasons = [None, *(reason.key for reason in funnel.loss_reasons)]
    if not funnel.reasons_closed:
        reasons.append("unheard of")
    ties = draw(st.sampled_from(["input", "state", "order"]))
    # One choice for each value: a log has many, and choices are what takes time.
    entries = st.tuples(
        st.sampled_from([_ONWARD, _AGAIN, *funnel.states]),
        st.sampled_from(_HOURS),
        st.sampled_from(reasons),
        st.sampled_from(_LOG_AMOUNTS),
        st.integers(0, 3) if ties == "order" else st.none(),
        *[st.sampled_from([None, *_SOME_LABELS])] * len(attributes),
    )
    histories = draw(
        st.lists(st.lists(entries, min_size=1, max_size=max_entries), max_size=max_opportunities)
    )
    rows = [
        row for number, history in enumerate(histories) for row in _rows(funnel, number, history)
    ]
    if draw(st.booleans()):
        rows = draw(st.permutations(rows))
    ids, stages, times, reason, amount, order, *labels = (
        [row[column] for row in rows] for column in range(6 + len(attributes))
    )
    # As a call inside a strategy, for that is how hypothesis then prints the log.
    return draw(
        st.builds(
            StageLog.from_columns,
            st.just(funnel),
            opportunity=st.just(ids),
            stage=st.just(stages),
            entered_at=st.just(times),
            reason=st.just(reason),
            attributes=st.just(dict(zip(attributes, labels, strict=True))),
            amount=st.just(amount),
            order=st.just(order if ties == "order" else None),
            ties=st.just("state" if ties == "state" else "input"),
            currency=st.just("CNY"),
            tz=st.sampled_from(["UTC", "Asia/Shanghai"]),
        )
    )


def _rows(
    funnel: Funnel, number: int, history: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    code, at = -1, _FIRST
    for move, hours, *rest in history:
        if move == _ONWARD:
            code = min(code + 1, funnel.won)
        elif move != _AGAIN:
            code = funnel.index(move)
        at += timedelta(hours=hours)
        yield f"O-{number + 1}", funnel.states[max(code, 0)], at.isoformat(), *rest
