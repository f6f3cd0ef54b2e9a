"""The stage table in its three counting modes."""

from __future__ import annotations

from golden.case import Case, deals, stages, strict

MODES = [
    Case(
        "a_plain_walk",
        "Exactly, for every k, `entered = advanced + lost + open`, with lost and open at the "
        "furthest stage",
        funnel=(3, 3),
        deals=deals(A="0 1 2 W", B="0 1 2 L", C="0 1 L", D="0 1", E="0"),
        expected={
            "reached": stages(
                entered=[5, 4, 2], advanced=[4, 2, 1], lost=[0, 1, 1], open=[1, 1, 0]
            ),
            "actual": stages(entered=[5, 4, 2], advanced=[4, 2, 1], lost=[0, 1, 1], open=[1, 1, 0]),
            "strict": strict(entered=[5, 4, 2], advanced=[4, 2, 1], lost=[0, 1, 1], open=[1, 1, 0]),
            "flow_counts": {"0>1": 4, "1>2": 2, "2>W": 1, "2>L": 1, "1>L": 1},
        },
    ),
    Case(
        "a_skip",
        "entered_k = furthest ≥ k, so skipped stages count.",
        funnel=(3, 3),
        deals=deals(A="0 2"),
        expected={
            "reached": stages(entered=[1, 1, 1], advanced=[1, 1, 0], open=[0, 0, 1]),
            "actual": stages(entered=[1, 0, 1], advanced=[0, 0, 0], open=[0, 0, 1]),
            "strict": strict(entered=[1, 0, 0], skipped=[1, 0, 0]),
        },
    ),
    Case(
        "a_step_back",
        "with lost and open at the furthest stage",
        funnel=(3, 3),
        deals=deals(A="0 1 2 0", B="0 1 2 1 L"),
        expected={
            "reached": stages(
                entered=[2, 2, 2], advanced=[2, 2, 0], lost=[0, 0, 1], open=[0, 0, 1]
            ),
            "actual": stages(entered=[2, 2, 2], advanced=[2, 2, 0], lost=[0, 1, 0], open=[1, 0, 0]),
            "strict": strict(entered=[2, 2, 2], advanced=[2, 2, 0], skipped=[0, 0, 2]),
        },
    ),
    Case(
        "a_reopening",
        "A reopened deal is open again",
        funnel=(3, 3),
        deals=deals(A="0 1 L 0", B="0 1 L 1 2 W", C="0 L 1 L"),
        expected={
            "reached": stages(
                entered=[3, 3, 1], advanced=[3, 1, 1], lost=[0, 1, 0], open=[0, 1, 0]
            ),
            "actual": stages(entered=[3, 3, 1], advanced=[3, 1, 1], lost=[0, 1, 0], open=[1, 0, 0]),
            "strict": strict(
                entered=[3, 3, 1], advanced=[3, 1, 1], lost=[0, 1, 0], skipped=[0, 1, 0]
            ),
        },
    ),
    Case(
        "out_of_order",
        "depth = the highest k such that the first entries into 0…k occur in that order and "
        "nothing above j was entered before the first j, for any j ≤ k",
        funnel=(3, 3),
        deals=deals(A="1 0 2", B="0 2 1 2"),
        expected={
            "reached": stages(entered=[2, 2, 2], advanced=[2, 2, 0], open=[0, 0, 2]),
            "actual": stages(entered=[2, 2, 2], advanced=[1, 2, 0], open=[0, 0, 2]),
            "strict": strict(entered=[1, 0, 0], skipped=[1, 0, 0]),  # depths -1 and 0
        },
    ),
    Case(
        "deals_that_start_late",
        "entered_0 = all opportunities",
        funnel=(3, 3),
        deals=deals(A="L", B="2", C="W", D="1 L"),
        expected={
            "reached": stages(
                entered=[4, 3, 2], advanced=[3, 2, 1], lost=[1, 1, 0], open=[0, 0, 1]
            ),
            "actual": stages(entered=[0, 1, 1], lost=[0, 1, 0], open=[0, 0, 1]),
            "strict": strict(entered=[0, 0, 0]),
        },
    ),
    Case(
        "actual_conversion_may_exceed_one",
        "These need not add up, and cumulative conversion may exceed 1.",
        funnel=(2, 2),
        deals=deals(A="0 1", B="1", C="1 0"),
        expected={
            "actual": stages(entered=[2, 3], advanced=[1, 0], open=[1, 2]),
            "reached": stages(entered=[3, 3], advanced=[3, 0], open=[0, 3]),
        },
    ),
    Case(
        "lost_from_where_it_stood",
        "lost_k = finally lost, from k; open_k = stands in k.",
        funnel=(3, 3),
        deals=deals(A="0 2 1 L", B="0 1 L 0 L", C="0 1 0"),
        expected={
            "actual": stages(entered=[3, 3, 1], advanced=[3, 0, 0], lost=[1, 1, 0], open=[1, 0, 0]),
            "reached": stages(
                entered=[3, 3, 1], advanced=[3, 1, 0], lost=[0, 1, 1], open=[0, 1, 0]
            ),
            "strict": strict(entered=[3, 2, 0], advanced=[2, 0, 0], skipped=[1, 2, 0]),
        },
    ),
    Case(
        "onward_from_the_last_pre_sale_stage",
        "for the last pre-sale stage: into a post-sale stage or WON",
        funnel=(4, 2),
        deals=deals(
            A="1 2",
            B="1 3",
            C="1 W",
            D="1 L",
            E="W 1",  # a win before the first entry is no advance from it
        ),
        expected={
            "actual": stages(
                entered=[0, 5, 1, 1], advanced=[0, 3, 0, 0], lost=[0, 1, 0, 0], open=[0, 1, 1, 1]
            )
        },
    ),
    Case(
        "service_in_every_mode",
        "at a post-sale stage: open = won deals in service there, lost = churns before completion, "
        "also in `churned`",
        funnel=(4, 2),
        deals=deals(A="0 1 2", B="0 1 3", C="0 1 2 L", D="0 1 W", E="0 1 2 W", F="0 1 2 3 W"),
        expected={
            "reached": stages(
                entered=[6, 6, 6, 3],  # furthest 2 3 2 2 W W
                advanced=[6, 6, 3, 2],
                lost=[0, 0, 1, 0],
                open=[0, 0, 2, 1],
                churned=[0, 0, 1, 0],
            ),
            "actual": stages(
                entered=[6, 6, 4, 2],
                advanced=[6, 6, 1, 1],
                lost=[0, 0, 1, 0],
                open=[0, 0, 1, 1],
                churned=[0, 0, 1, 0],
            ),
            "strict": strict(
                entered=[6, 6, 4, 1],  # depths 2 1 2 1 2 W
                advanced=[6, 4, 1, 1],
                lost=[0, 0, 1, 0],
                open=[0, 0, 1, 0],
                churned=[0, 0, 1, 0],
                skipped=[0, 2, 1, 0],
            ),
        },
    ),
    Case(
        "an_undone_win_in_every_mode",
        "lost_k and open_k: depth = k and the last stage is k; the rest is a column `skipped`.",
        funnel=(2, 2),
        deals=deals(A="0 1 W 1", B="0 W 1"),
        expected={
            "reached": stages(entered=[2, 2], advanced=[2, 0], open=[0, 2]),
            "actual": stages(entered=[2, 2], advanced=[2, 1], open=[0, 2]),
            "strict": strict(entered=[2, 1], advanced=[1, 1], skipped=[1, 0]),  # depths W and 0
        },
    ),
    Case(
        "lost_and_open_before_the_sale_add_up",
        "Σ lost and Σ open over pre-sale stages are the numbers of lost and open opportunities; "
        "advanced at the last pre-sale stage = won + churned",
        funnel=(3, 2),
        deals=deals(A="0 L", B="1 0 L", C="0 1 W 0", D="0 L W", E="2 L"),
        expected={
            "status": {"A": "lost", "B": "lost", "C": "open", "D": "won", "E": "churned"},
            "reached": stages(
                entered=[5, 4, 2],
                advanced=[4, 2, 0],
                lost=[1, 1, 1],
                open=[0, 1, 1],
                churned=[0, 0, 1],
            ),
        },
    ),
    Case(
        "a_funnel_of_one_stage",
        "WON if the funnel has no post-sale stage",
        funnel=(1, 1),
        deals=deals(A="0", B="0 W", C="0 L", D="0 W L"),
        expected={
            "reached": stages(entered=[4], advanced=[2], lost=[1], open=[1], churned=[1]),
            "actual": stages(entered=[4], advanced=[2], lost=[1], open=[1], churned=[1]),
            "strict": strict(entered=[4], advanced=[2], lost=[1], open=[1], churned=[1]),
            "win_rate": (2, 3),
        },
    ),
]
