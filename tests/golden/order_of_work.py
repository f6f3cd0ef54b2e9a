"""The order of work: the cut, the order of entries, ties, repeats."""

from __future__ import annotations

from golden.case import HOUR, Case, deal, deals, stages, strict

ORDER_OF_WORK = [
    Case(
        "as_of_is_inclusive",
        "the instant of knowledge, inclusive: entries after it do not exist",
        funnel=(3, 3),
        deals=deals(A="0 1 W"),
        options={"as_of": 1 * HOUR},
        expected={
            "as_of": 1 * HOUR,
            "status": {"A": "open"},
            "furthest": {"A": "1"},
            "milestones": {"A": "0@0 1@1"},
            "flow_counts": {"0>1": 1},
            "ends": {"1": 1},
            "win_rate": (0, 0),
        },
    ),
    Case(
        "an_instant_before_as_of_falls_short",
        "the instant of knowledge, inclusive: entries after it do not exist",
        funnel=(3, 3),
        deals=deals(A="0 1 W"),
        options={"as_of": 2 * HOUR - 1},
        expected={"status": {"A": "open"}, "milestones": {"A": "0@0 1@1"}},
    ),
    Case(
        "as_of_defaults_to_the_last_entry_of_the_whole_log",
        "`as_of` is resolved once over the whole log (default: its last entry)",
        funnel=(2, 2),
        deals=deals(A="0@0 1@9", B="0@2 W@4"),
        expected={"as_of": 9 * HOUR, "status": {"A": "open", "B": "won"}},
    ),
    Case(
        "what_comes_after_as_of_undoes_nothing_yet",
        "Cut at `as_of`, sort by opportunity and time, settle ties, collapse repeats, "
        "then classify.",
        funnel=(2, 2),
        deals=deals(A="0 1 W 1", B="0 L 0 1"),
        options={"as_of": 2 * HOUR},
        expected={"status": {"A": "won", "B": "open"}, "furthest": {"A": "W", "B": "0"}},
    ),
    Case(
        "no_entry_by_as_of_no_count",
        "An opportunity without an entry by `as_of` is in no count.",
        funnel=(2, 2),
        deals=deals(A="0@0 1@1", B="0@2 W@3"),
        options={"as_of": 1 * HOUR},
        expected={
            "status": {"A": "open"},
            "milestones": {"A": "0@0 1@1"},
            "starts": {"0": 1},
            "reached": stages(entered=[1, 1], advanced=[1, 0], open=[0, 1]),
            "actual": stages(entered=[1, 1], advanced=[1, 0], open=[0, 1]),
            "strict": strict(entered=[1, 1], advanced=[1, 0], open=[0, 1]),
            "win_rate": (0, 0),
        },
    ),
    Case(
        "as_of_before_everything",
        "An opportunity without an entry by `as_of` is in no count.",
        funnel=(2, 1),
        deals=deals(A="0@5 1@6"),
        options={"as_of": 4 * HOUR},
        expected={
            "status": {},
            "flow_counts": {},
            "starts": {},
            "ends": {},
            "reached": stages(entered=[0, 0]),
            "strict": strict(entered=[0, 0]),
            "sales_cycle": [],
        },
    ),
    Case(
        "an_empty_log",
        "An empty log has `as_of=None` and adds to anything.",
        funnel=(2, 2),
        deals=[],
        expected={
            "as_of": None,
            "status": {},
            "flow_counts": {},
            "reached": stages(entered=[0, 0]),
            "win_rate": (0, 0),
            "loss_reasons": {},
        },
    ),
    Case(
        "rows_arrive_in_any_order",
        "sort by opportunity and time",
        funnel=(2, 2),
        deals=[deal("B", "L@6"), deal("A", "W@5 0@1"), deal("B", "0@2 1@3"), deal("A", "1@4")],
        expected={
            "status": {"A": "won", "B": "lost"},
            "flow_counts": {"0>1": 2, "1>W": 1, "1>L": 1},
            "flow_microseconds": {"0>1": 4 * HOUR, "1>W": 1 * HOUR, "1>L": 3 * HOUR},
            "starts": {"0": 2},
            "ends": {"W": 1, "L": 1},
        },
    ),
    Case(
        "ties_keep_the_input_order",
        'Equal times within an opportunity keep the order of the input rows (`ties="input"`, '
        "default: CRMs write a cancelled offer and its successor in one instant",
        funnel=(2, 2),
        deals=deals(A="0@0 L@1 1@1", B="0@0 1@1 L@1"),
        expected={
            "status": {"A": "open", "B": "lost"},
            "flow_counts": {"0>L": 1, "L>1": 1, "0>1": 1, "1>L": 1},
            "flow_microseconds": {"0>L": 1 * HOUR, "0>1": 1 * HOUR},
        },
    ),
    Case(
        "ties_by_an_order_column",
        "or of an `order=` column (a record number)",
        funnel=(2, 2),
        deals=[
            deal("A", "0@0 L@1 1@1", order=(7, 9, 8)),
            deal("B", "1@1 0@0", order=(1, 2)),  # it settles equal times and no others
        ],
        options={"ties": "order"},
        expected={"status": {"A": "lost", "B": "open"}, "flow_counts": {"0>1": 2, "1>L": 1}},
    ),
    Case(
        "ties_by_state",
        'or go by state (`ties="state"`: where the input order means nothing, as after a shuffle)',
        funnel=(2, 2),
        deals=deals(A="L@1 1@1 0@0", B="W@0 1@0 0@0", C="1@0 0@1"),
        options={"ties": "state"},
        expected={
            "status": {"A": "lost", "B": "won", "C": "open"},
            "flow_counts": {"0>1": 2, "1>L": 1, "1>W": 1, "1>0": 1},
        },
    ),
    Case(
        "repeats_keep_the_first_time",
        "Consecutive entries into the same state collapse into the first (CRM history repeats the "
        "stage when an amount changes), keeping the first time",
        funnel=(3, 3),
        deals=deals(A="0@0 1@1 1@3 1@4 2@6 1@8"),
        expected={
            "flow_counts": {"0>1": 1, "1>2": 1, "2>1": 1},
            "flow_microseconds": {"0>1": 1 * HOUR, "1>2": 5 * HOUR, "2>1": 2 * HOUR},
            "milestones": {"A": "0@0 1@1 2@6"},
            "starts": {"0": 1},
            "ends": {"1": 1},
        },
    ),
    Case(
        "repeats_keep_the_last_known_attributes",
        "keeping the first time and the last non-null attributes",
        funnel=(3, 3),
        deals=[
            deal("A", "0 1 1 2", amount=(10, 20, 30, None), owner=("li", "li", "na", None)),
            deal("B", "0 1 1 L", amount=(1, 2, None, None), owner=("li", "na", None, None)),
            deal("C", "0 L L", reason=(None, "price", None), owner="li"),
            deal("D", "0 L L", reason=(None, "price", "budget"), owner="li"),
            deal("E", "0 0 1", owner=(None, "na", None)),
        ],
        expected={
            "flow_amount": {"0>1": 32, "1>2": 30, "1>L": 2},
            "loss_reasons": {(1, None): 1, (0, "price"): 1, (0, "budget"): 1},
            "flow_by": {
                "li": {"counts": {"0>L": 2}, "starts": {"0": 4}, "ends": {"L": 2}},
                "na": {
                    "counts": {"0>1": 3, "1>2": 1, "1>L": 1},
                    "starts": {"0": 1},
                    "ends": {"2": 1, "L": 1, "1": 1},
                },
            },
        },
        options={"by": "owner"},
    ),
    Case(
        "repeats_are_seen_after_the_cut",
        "Cut at `as_of`, sort by opportunity and time, settle ties, collapse repeats, "
        "then classify.",
        funnel=(2, 2),
        deals=[deal("A", "0 1 1", amount=(10, 20, 30))],
        options={"as_of": 1 * HOUR},
        expected={"flow_amount": {"0>1": 20}, "milestones": {"A": "0@0 1@1"}},
    ),
    Case(
        "repeats_are_seen_after_ties_are_settled",
        "Cut at `as_of`, sort by opportunity and time, settle ties, collapse repeats, "
        "then classify.",
        funnel=(3, 3),
        deals=deals(A="0@0 1@1 2@1 1@1"),
        options={"ties": "state"},
        expected={"flow_counts": {"0>1": 1, "1>2": 1}, "ends": {"2": 1}},
    ),
    Case(
        "repeats_are_gone_before_classifying",
        "Cut at `as_of`, sort by opportunity and time, settle ties, collapse repeats, "
        "then classify.",
        funnel=(2, 2),
        deals=deals(A="0 W L L", B="L L", C="0 0 L L L"),
        expected={
            "status": {"A": "churned", "B": "lost", "C": "lost"},
            "actual": stages(entered=[2, 0], lost=[1, 0], churned=[0, 1]),
        },
    ),
    Case(
        "kept_repeats_are_transitions",
        '`repeats="keep"` changes flow counts only.',
        funnel=(2, 2),
        deals=deals(A="0 0 1 1 W W L L"),
        options={"repeats": "keep"},
        expected={
            "flow_counts": {"0>0": 1, "0>1": 1, "1>1": 1, "1>W": 1, "W>W": 1, "W>L": 1, "L>L": 1},
            "starts": {"0": 1},
            "ends": {"L": 1},
            "status": {"A": "churned"},
            "furthest": {"A": "W"},
            "milestones": {"A": "0@0 1@2 W@4 L@6"},
            "reached": stages(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
            "actual": stages(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
            "strict": strict(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
            "win_rate": (1, 1),
            "sales_cycle": [4 * HOUR],
        },
    ),
]
