"""The matrix of verdicts: each table below is one policy, read as rows from, columns to."""

from __future__ import annotations

import pytest
from engine.deals import FREE, FUNNEL, SALE_ONLY

from salesfunnel.engine.policy import Policy
from salesfunnel.engine.rules import Rule, left_out, reason_verdict, required_fields, verdicts
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

LETTERS = {
    Rule.ALLOWED: ".",
    Rule.START_STAGE: "s",
    Rule.STAGE_ORDER: "o",
    Rule.STEP_BACK: "b",
    Rule.EARLY_WIN: "w",
    Rule.AFTER_CLOSE: "c",
    Rule.REOPENING: "r",
}


def table(policy: Policy, funnel: Funnel = FUNNEL) -> list[str]:
    return ["".join(LETTERS[verdict] for verdict in row) for row in verdicts(funnel, policy)]


def test_the_strict_policy_allows_one_stage_forward_and_a_loss() -> None:
    assert table(Policy()) == [
        #  lead demo offer setup service won lost
        "o.owww.",
        "bo.www.",
        "bbo.oo.",
        "rrro.o.",
        "rrrbo..",
        "ccccccc",
        "ccccccc",
        ".ssssss",
    ]


def test_without_stages_after_the_sale_the_last_stage_leads_to_won() -> None:
    assert table(Policy(), SALE_ONLY) == [
        "o.ow.",
        "bo.w.",
        "bbo..",
        "ccccc",
        "ccccc",
        ".ssss",
    ]


def test_a_funnel_may_have_a_single_stage() -> None:
    assert table(Policy(), Funnel(["lead"])) == [
        "o..",
        "ccc",
        "ccc",
        ".ss",
    ]


def test_the_freest_policy_forbids_only_standing_still_and_losing_what_is_closed() -> None:
    assert table(FREE) == [
        "o......",
        ".o.....",
        "..o....",
        "rrro...",
        "rrr.o..",
        "rrrrrrc",
        "rrrrrrc",
        "...ssss",
    ]


def test_any_start_is_any_stage_before_the_sale() -> None:
    assert table(Policy(any_start=True))[-1] == "...ssss"


@pytest.mark.parametrize(
    ("skip", "from_lead", "from_offer"),
    [(0, "o.o", "o.oo."), (1, "o..", "o..o."), (2, "o..", "o...."), (None, "o..", "o....")],
)
def test_skip_limits_the_stages_that_one_move_leaves_out(
    skip: int | None, from_lead: str, from_offer: str
) -> None:
    rows = table(Policy(skip=skip))

    assert rows[0][:3] == from_lead
    assert rows[2][2:] == from_offer


@pytest.mark.parametrize(
    ("back", "from_offer"), [(0, "bbo"), (1, "b.o"), (2, "..o"), (None, "..o")]
)
def test_back_limits_how_far_one_move_goes_back(back: int | None, from_offer: str) -> None:
    assert table(Policy(back=back))[2][:3] == from_offer


def test_going_back_stays_on_its_side_of_the_sale() -> None:
    rows = table(Policy(back=None))

    assert rows[FUNNEL.index("service")] == "rrr.o.."


def test_an_early_win_may_leave_out_any_stage_before_the_sale_and_none_after_it() -> None:
    rows = table(Policy(win_early=True))

    assert rows[0] == "o.o.oo."
    assert table(Policy(win_early=True, skip=1))[0] == "o....o."


def test_after_reopening_was_allowed_only_what_is_closed_cannot_be_lost() -> None:
    rows = table(Policy(reopen=True))

    assert rows[FUNNEL.won] == rows[FUNNEL.lost] == "rrrrrrc"


def test_what_a_move_leaves_out_counts_from_the_sale_where_it_wins() -> None:
    assert list(left_out(3, 0, 2)) == [1]
    assert list(left_out(3, 2, 3)) == []
    assert list(left_out(3, 0, 5)) == [3, 4]
    assert list(left_out(3, 3, 5)) == [4]


@pytest.mark.parametrize(
    ("loss_reason", "none", "empty", "known", "other"),
    [
        ("known", Rule.REASON_MISSING, Rule.REASON_MISSING, Rule.ALLOWED, Rule.REASON_UNKNOWN),
        ("any", Rule.REASON_MISSING, Rule.REASON_MISSING, Rule.ALLOWED, Rule.ALLOWED),
        ("optional", Rule.ALLOWED, Rule.ALLOWED, Rule.ALLOWED, Rule.ALLOWED),
    ],
)
def test_what_reason_a_loss_needs(
    loss_reason: str, none: Rule, empty: Rule, known: Rule, other: Rule
) -> None:
    policy = Policy(loss_reason=loss_reason)
    given = (None, "", "price", "weather")

    assert [reason_verdict(FUNNEL, policy, reason) for reason in given] == [
        none,
        empty,
        known,
        other,
    ]


@pytest.mark.parametrize("loss_reason", ["known", "any", "optional"])
def test_a_closed_list_of_reasons_admits_no_other_whatever_the_policy(loss_reason: str) -> None:
    funnel = Funnel(["lead"], ["price"], reasons_closed=True)
    policy = Policy(loss_reason=loss_reason)

    assert reason_verdict(funnel, policy, "weather") is Rule.REASON_UNKNOWN
    assert reason_verdict(funnel, policy, "price") is Rule.ALLOWED


def test_required_fields_are_those_of_the_stage_entered() -> None:
    funnel = Funnel(["lead", Stage("offer", required=["amount", "budget"])])

    assert required_fields(funnel, Policy()) == ((), ("amount", "budget"), (), ())
    assert required_fields(funnel, Policy(required_fields=False)) == ((), (), (), ())


def test_the_largest_funnel_has_a_verdict_on_every_pair_of_states() -> None:
    rows = verdicts(Funnel([f"s{number}" for number in range(250)]), Policy())

    assert len(rows) == 253
    assert {len(row) for row in rows} == {252}
