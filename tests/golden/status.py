"""Where an opportunity stands, and how far it came."""

from __future__ import annotations

from golden.case import HOUR, Case, deal, deals, stages, strict

STATUS = [
    Case(
        "status_without_post_sale_stages",
        "Status follows from the last state: a pre-sale stage is `open`; WON or a post-sale "
        "stage is `won`; LOST is `churned` when the state before it was WON or post-sale, and "
        "else `lost`.",
        funnel=(2, 2),
        deals=deals(A="0 1", B="0 W", C="0 1 L", D="0 W L"),
        expected={
            "status": {"A": "open", "B": "won", "C": "lost", "D": "churned"},
            "ends": {"1": 1, "W": 1, "L": 2},
        },
    ),
    Case(
        "status_with_post_sale_stages",
        "Status follows from the last state: a pre-sale stage is `open`; WON or a post-sale "
        "stage is `won`; LOST is `churned` when the state before it was WON or post-sale, and "
        "else `lost`.",
        funnel=(3, 2),
        deals=deals(
            A="0 1",
            B="0 1 2",
            C="0 1 2 W",
            D="0 1 W",
            E="0 1 L",
            F="0 1 2 L",
            G="0 1 2 W L",
            H="0 1 W L",
        ),
        expected={
            "status": {
                "A": "open",
                "B": "won",
                "C": "won",
                "D": "won",
                "E": "lost",
                "F": "churned",
                "G": "churned",
                "H": "churned",
            }
        },
    ),
    Case(
        "only_one_entry",
        "Status follows from the last state",
        funnel=(3, 2),
        deals=deals(A="1", B="2", C="W", D="L"),
        expected={
            "status": {"A": "open", "B": "won", "C": "won", "D": "lost"},
            "furthest": {"A": "1", "B": "2", "C": "2", "D": "0"},
            "flow_counts": {},
            "starts": {"1": 1, "2": 1, "W": 1, "L": 1},
            "ends": {"1": 1, "2": 1, "W": 1, "L": 1},
            "sales_cycle": [0, 0],
        },
    ),
    Case(
        "a_churned_deal_was_won",
        "A churned deal was won and stays in every win count.",
        funnel=(2, 2),
        deals=deals(A="0 W L", B="0 L", C="0@0 W@3"),
        expected={
            "win_rate": (2, 3),
            "sales_cycle": [1 * HOUR, 3 * HOUR],
            "reached": stages(entered=[3, 2], advanced=[2, 2], lost=[1, 0], churned=[0, 1]),
        },
    ),
    Case(
        "a_reopened_deal_is_open_again",
        "A reopened deal is open again",
        funnel=(2, 2),
        deals=deals(A="0 1 L 1", B="0 L 1 L", C="0 L 1 W"),
        expected={
            "status": {"A": "open", "B": "lost", "C": "won"},
            "win_rate": (1, 2),
            "reached": stages(entered=[3, 3], advanced=[3, 1], lost=[0, 1], open=[0, 1]),
        },
    ),
    Case(
        "an_undone_win_no_longer_counts",
        "and an undone win no longer counts",
        funnel=(3, 2),
        deals=deals(A="0 1 W 1", B="0 1 2 0", C="0 W 0 L", D="0 W L 0", E="0 1 2 W 1 L"),
        expected={
            "status": {"A": "open", "B": "open", "C": "lost", "D": "open", "E": "lost"},
            "furthest": {"A": "1", "B": "1", "C": "0", "D": "0", "E": "1"},
            "win_rate": (0, 2),
            "sales_cycle": [],
            "reached": stages(
                entered=[5, 3, 0], advanced=[3, 0, 0], lost=[1, 1, 0], open=[1, 2, 0]
            ),
        },
    ),
    Case(
        "a_churned_deal_won_back",
        "Status follows from the last state",
        funnel=(2, 2),
        deals=deals(A="0 W L W", B="0 W L W L", C="0 L W"),
        expected={
            "status": {"A": "won", "B": "churned", "C": "won"},
            "furthest": {"A": "W", "B": "W", "C": "W"},
            "win_rate": (3, 3),
            "sales_cycle": [1 * HOUR, 1 * HOUR, 2 * HOUR],
        },
    ),
]


FURTHEST = [
    Case(
        "furthest_of_open_and_lost",
        "Open or lost: the highest pre-sale stage ever entered (stage 0 if none).",
        funnel=(4, 3),
        deals=deals(
            A="0 2 1",
            B="0 2 1 L",
            C="1 0",
            D="0 3 1",  # back before the sale: the service does not count
            E="0 3 W 1 L",
            F="L",
        ),
        expected={"furthest": {"A": "2", "B": "2", "C": "1", "D": "1", "E": "1", "F": "0"}},
    ),
    Case(
        "furthest_of_won_without_post_sale_stages",
        "WON if the funnel has no post-sale stage",
        funnel=(3, 3),
        deals=deals(A="0 1 2 W", B="0 W", C="0 W L", D="W"),
        expected={
            "furthest": {"A": "W", "B": "W", "C": "W", "D": "W"},
            "reached": stages(entered=[4, 4, 4], advanced=[4, 4, 4], churned=[0, 0, 1]),
        },
    ),
    Case(
        "won_after_service_is_complete",
        "or if WON follows a post-sale stage (the cycle is complete)",
        funnel=(4, 2),
        deals=deals(
            A="0 1 2 3 W",
            B="0 1 2 W",
            C="0 1 W 2 W",
            D="0 1 2 W L",
            E="2 W",
            F="0 1 2 W 3",  # another service after a complete one
        ),
        expected={"furthest": {"A": "W", "B": "W", "C": "W", "D": "W", "E": "W", "F": "W"}},
    ),
    Case(
        "won_after_a_churn_from_service_is_complete",
        "or if WON follows a post-sale stage (the cycle is complete)",
        funnel=(3, 2),
        deals=[deal("A", "0 1 2 L W")],  # "follows": after it, if not at once
        expected={"status": {"A": "won"}, "furthest": {"A": "W"}},
    ),
    Case(
        "in_service",
        "otherwise the highest post-sale stage entered, or the first of them if none (a WON "
        "straight from before the sale starts the service)",
        funnel=(4, 2),
        deals=[
            deal("A", "0 1 2"),
            deal("B", "0 1 3 2"),
            deal("C", "0 1 W"),
            deal("D", "0 1 W 3"),
            deal("E", "0 W L"),
            deal("F", "0 1 2 3 L"),
            deal("G", "W"),
            deal("H", "3"),
        ],
        expected={
            "status": {
                "A": "won",
                "B": "won",
                "C": "won",
                "D": "won",
                "E": "churned",
                "F": "churned",
                "G": "won",
                "H": "won",
            },
            "furthest": {
                "A": "2",
                "B": "3",
                "C": "2",
                "D": "3",
                "E": "2",
                "F": "3",
                "G": "2",
                "H": "3",
            },
        },
    ),
    Case(
        "only_the_standing_win_counts",
        "Won or churned, looking only at entries after the last pre-sale stage",
        funnel=(4, 2),
        deals=deals(A="0 3 1 2", B="0 1 2 W 1 W", C="0 3 0 W L", D="0 3 1 W 2", E="0 3 1 2 W"),
        expected={"furthest": {"A": "2", "B": "2", "C": "2", "D": "2", "E": "W"}},
    ),
    Case(
        "a_churn_after_completion",
        "A churn after completion stays advanced and is counted in `churned` only.",
        funnel=(3, 2),
        deals=deals(A="0 1 2 W L", B="0 1 2 L", C="0 1 W L"),
        expected={
            "status": {"A": "churned", "B": "churned", "C": "churned"},
            "reached": stages(
                entered=[3, 3, 3], advanced=[3, 3, 1], lost=[0, 0, 2], churned=[0, 0, 3]
            ),
            "win_rate": (3, 3),
        },
    ),
    Case(
        "a_churn_after_completion_counts_at_the_last_stage",
        "A churn after completion stays advanced and is counted in `churned` only.",
        funnel=(4, 2),
        deals=deals(A="0 1 2 W L", B="0 1 2 L"),
        expected={
            "reached": stages(
                entered=[2, 2, 2, 1], advanced=[2, 2, 1, 1], lost=[0, 0, 1, 0], churned=[0, 0, 1, 1]
            )
        },
    ),
    Case(
        "a_churn_without_post_sale_stages",
        "A churn after completion stays advanced and is counted in `churned` only.",
        funnel=(2, 2),
        deals=deals(A="0 1 W L"),
        expected={
            "reached": stages(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
            "actual": stages(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
            "strict": strict(entered=[1, 1], advanced=[1, 1], churned=[0, 1]),
        },
    ),
]
