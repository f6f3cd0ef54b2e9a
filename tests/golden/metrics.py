"""Milestones, win rate, sales cycle, loss reasons, groups, flow."""

from __future__ import annotations

from golden.case import HOUR, Case, deal, deals, stages

METRICS = [
    Case(
        "first_entries",
        "an opportunity's first entry into a state",
        funnel=(2, 2),
        deals=deals(A="0 1 0 1 L 1 L", B="W@3"),
        expected={"milestones": {"A": "0@0 1@1 L@4", "B": "W@3"}},
    ),
    Case(
        "win_rate",
        "(won + churned) / (won + churned + lost), by count or by amount",
        funnel=(2, 1),
        deals=deals(A="0 1", B="0 1 L", C="0 L", D="0", E="0 W 0"),
        expected={"win_rate": (2, 3)},
    ),
    Case(
        "sales_cycle_from_the_first_entry",
        "start → the first WON or post-sale entry after the last pre-sale stage, of won and "
        "churned deals; the start is the first entry",
        funnel=(4, 3),
        deals=deals(
            A="0@0 1@2 3@5 W@9",
            B="0@1 W@4 L@6",
            C="0@0 W@2 0@3 W@7",  # the win at 2 was undone
            D="0@0 1@3",
            E="0@0 L@8",
            F="3@1 L@2 0@3 L@4 W@10",
        ),
        expected={"sales_cycle": [3 * HOUR, 5 * HOUR, 7 * HOUR, 9 * HOUR]},
    ),
    Case(
        "sales_cycle_from_a_named_stage",
        "or the first entry into or beyond a named stage",
        funnel=(4, 3),
        deals=deals(
            A="0@0 1@2 3@5 W@9",
            B="0@0 2@1 1@4 W@5",
            C="0@0 L@1 1@3 W@9",  # LOST is not beyond
        ),
        options={"start": 1},
        expected={"sales_cycle": [3 * HOUR, 4 * HOUR, 6 * HOUR]},
    ),
    Case(
        "a_sale_straight_past_the_named_stage",
        "or the first entry into or beyond a named stage",
        funnel=(3, 3),
        deals=deals(A="0@0 W@6"),
        options={"start": 1},
        expected={"sales_cycle": [0]},
    ),
    Case(
        "loss_reasons_stand_at_the_furthest_stage",
        "with lost and open at the furthest stage",
        funnel=(3, 2),
        deals=[
            deal("A", "0 1 0 L", reason="price"),
            deal("B", "0 1 L", reason="price"),
            deal("C", "0 L"),
            deal("D", "0 L 1 L", reason=(None, "price", None, "timing")),
            deal("E", "0 L 1", reason=(None, "price", None)),  # open again
            deal("F", "0 1 2 L", reason="service"),  # churned
            deal("G", "L", reason="spam"),
        ],
        expected={
            "loss_reasons": {(1, "price"): 2, (0, None): 1, (1, "timing"): 1, (0, "spam"): 1}
        },
    ),
    Case(
        "the_reason_of_an_earlier_loss_is_not_carried_over",
        "A reopened deal is open again",
        funnel=(1, 1),
        deals=[deal("A", "0 L 0 L", reason=(None, "price", None, None))],
        expected={"loss_reasons": {(0, None): 1}},
    ),
    Case(
        "stage_counts_group_by_the_last_known_label",
        "Amounts and labels of an opportunity are their last non-null value at `as_of`, and by "
        "these `stage_counts`, `milestones` and metrics group",
        funnel=(2, 2),
        deals=[
            deal("A", "0 1 W", owner=("li", "na", None)),
            deal("B", "0 1", owner="li"),
            deal("C", "0 L"),
            deal("D", "0@0 1@1 1@5", owner=("li", None, "na")),  # known after as_of only
        ],
        options={"by": "owner", "as_of": 2 * HOUR},
        expected={
            "reached_by": {
                "na": stages(entered=[1, 1], advanced=[1, 1]),
                "li": stages(entered=[2, 2], advanced=[2, 0], open=[0, 2]),
                None: stages(entered=[1, 0], lost=[1, 0]),
            }
        },
    ),
    Case(
        "flow_groups_by_the_label_known_then",
        "`flow(by=owner)` groups each transition by the last non-null label up to and including "
        "its target entry (starts by the first entry's, ends by the one at `as_of`)",
        funnel=(3, 3),
        deals=[
            deal("A", "0 1 2", owner=("li", None, "na")),
            deal("B", "0 1 W", owner=(None, "li", None)),
            deal("C", "0 L"),
        ],
        options={"by": "owner"},
        expected={
            "flow_by": {
                "li": {"counts": {"0>1": 2, "1>W": 1}, "starts": {"0": 1}, "ends": {"W": 1}},
                "na": {"counts": {"1>2": 1}, "starts": {}, "ends": {"2": 1}},
                None: {"counts": {"0>L": 1}, "starts": {"0": 2}, "ends": {"L": 1}},
            }
        },
    ),
    Case(
        "flow_adds_the_amount_known_then",
        "aggregated transitions, `(S, S)` or `(G, S, S)`, with starts and ends `(…, S)`",
        funnel=(3, 3),
        deals=[
            deal("A", "0 1 2 W", amount=(10, None, 30, None)),
            deal("B", "0 1 0 1", amount=(1, 2, 4, 8)),
            deal("C", "0 1", amount=(None, 100)),
        ],
        expected={"flow_amount": {"0>1": 10 + 2 + 8 + 100, "1>2": 30, "2>W": 30, "1>0": 4}},
    ),
    Case(
        "transitions_stay_within_an_opportunity",
        "two consecutive entries of one opportunity",
        funnel=(2, 2),
        deals=deals(A="0@0 1@4", B="1@1 0@2", C="0@3"),
        expected={
            "flow_counts": {"0>1": 1, "1>0": 1},
            "flow_microseconds": {"0>1": 4 * HOUR, "1>0": 1 * HOUR},
            "starts": {"0": 2, "1": 1},
            "ends": {"1": 1, "0": 2},
        },
    ),
    Case(
        "durations_add_exactly",
        "Durations add exactly: int64 whole seconds and int64 microsecond remainders",
        funnel=(2, 2),
        deals=[
            [row._replace(time=time) for row, time in zip(rows, times, strict=True)]
            for rows, times in [
                (deal("A", "0 1 W"), (0, 2**53 + 1, 2**53 + 1_600_001)),  # no float64 holds these
                (deal("B", "0 1 W"), (5, 2**53 + 6, 2**53 + 1_600_006)),
            ]
        ],
        expected={"flow_microseconds": {"0>1": 2**54 + 2, "1>W": 3_200_000}},
    ),
]
