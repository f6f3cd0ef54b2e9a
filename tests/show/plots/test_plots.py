"""Plots: what is drawn is what the tables say, and any log can be drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import salesfunnel as sf
from salesfunnel import metrics
from salesfunnel.errors import DefinitionError, MissingExtraError, UnknownLanguageError
from salesfunnel.metrics.visits import visits
from salesfunnel.show import plots
from salesfunnel.show.plots import drawing
from salesfunnel.testing import logs

FUNNEL = sf.Funnel(
    [
        sf.Stage("lead", "Lead", names={"zh": "线索"}, probability=0.1),
        sf.Stage("offer", "Offer", names={"zh": "报价"}, probability=0.5),
    ],
    [sf.LossReason("price", "Price", names={"zh": "价格"})],
)
ROWS = [
    ("A", "lead", "2026-01-01", None, "li", 100.0, "2026-03-01"),
    ("A", "offer", "2026-01-05", None, "li", 100.0, "2026-03-01"),
    ("A", "won", "2026-01-09", None, "li", 100.0, "2026-03-01"),
    ("B", "lead", "2026-01-02", None, "wu", 40.0, None),
    ("B", "offer", "2026-01-04", None, "wu", 40.0, None),
    ("B", "lead", "2026-01-06", None, "wu", 40.0, None),
    ("B", "lost", "2026-01-08", "price", "wu", 40.0, None),
    ("C", "lead", "2026-01-03", None, "wu", 50.0, None),
    ("C", "lost", "2026-01-07", None, "wu", 50.0, None),
    ("D", "lead", "2026-01-10", None, "li", 70.0, "2026-04-02"),
]


def log(rows: list[tuple[Any, ...]] = ROWS) -> sf.StageLog:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 7
    ids, stages, times, reasons, owners, amounts, closes = columns
    return sf.StageLog.from_columns(
        FUNNEL,
        opportunity=ids,
        stage=stages,
        entered_at=times,
        reason=reasons,
        amount=amounts,
        attributes={"owner": owners, "expected_close": closes},
        tz="UTC",
    )


DRAWN: dict[str, Callable[..., Any]] = {
    "funnel": plots.funnel,
    "sankey": plots.sankey,
    "heatmap": plots.heatmap,
    "losses_by_stage": plots.losses_by_stage,
    "loss_pareto": plots.loss_pareto,
    "time_in_stage": plots.time_in_stage,
    "cohorts": lambda log, **options: plots.cohorts(log, period="day", **options),
    "trend": lambda log, **options: plots.trend(log, period="day", **options),
    "control_chart": lambda log, **options: plots.control_chart(log, period="day", **options),
    "ranked": plots.ranked,
    "win_rates": lambda log, **options: plots.win_rates(log, by="owner", **options),
    "pipeline": plots.pipeline,
    "pipeline_by_period": plots.pipeline_by_period,
}
every_plot = pytest.mark.parametrize("name", DRAWN)


def test_every_plot_is_tried() -> None:
    assert set(DRAWN) == set(plots.__all__)


# ── what is drawn ─────────────────────────────────────────────────────────────────────────────────


def test_the_funnel_has_a_bar_for_each_stage_and_the_conversion_between() -> None:
    figure = plots.funnel(log())

    (bars,) = figure.data
    assert list(bars.x) == [4, 2]
    assert list(figure.layout.yaxis.ticktext) == ["Lead", "Offer"]
    assert [note.text for note in figure.layout.annotations] == [
        "↓ 50.0% (15.0–85.0)",
        "↓ 50.0% (9.5–90.5)",
    ]
    assert list(bars.customdata[0][:5]) == ["Lead", "4", "2", "1", "1"]
    assert bars.hovertemplate.startswith("<b>%{customdata[0]}</b><br>Entered: %{customdata[1]}<br>")


def test_the_sankey_has_every_transition_and_says_what_it_is() -> None:
    figure = plots.sankey(log())

    bands = figure.data[0]
    labels = list(bands.node.label)
    links = {
        (labels[start], labels[end]): (count, text[2])
        for start, end, count, text in zip(
            bands.link.source,
            bands.link.target,
            bands.link.value,
            bands.link.customdata,
            strict=True,
        )
    }
    assert links == {
        ("Lead", "Offer"): (2, "One stage forward, or won"),
        ("Offer", "Won"): (1, "Won"),
        ("Offer", "Lead"): (1, "A step back"),
        ("Lead", "Lost"): (2, "Lost"),
    }
    assert [trace.name for trace in figure.data[1:]] == [
        "One stage forward, or won",
        "A step back",
        "Lost",
    ]


def test_without_steps_back_no_band_is_forced_to_cross_another() -> None:
    # Each stage leads to the next: plotly finds places for the bars.
    plain = [row for row in ROWS if row[0] in "AC"]
    assert plots.sankey(log(plain)).data[0].node.x is None
    # Nothing leads from the lead to the offer: the stages have their order all the same, and the
    # bars the room that they need, four of six opportunities lost.
    apart = [
        *[(name, "lead", "2026-01-01", None, "li", 1.0, None) for name in "AB"],
        *[(name, "lost", "2026-01-02", "price", "li", 1.0, None) for name in "AB"],
        *[(name, "offer", "2026-01-01", None, "li", 1.0, None) for name in "CDEF"],
        *[(name, "lost", "2026-01-02", "price", "li", 1.0, None) for name in "CD"],
        *[(name, "won", "2026-01-02", None, "li", 1.0, None) for name in "EF"],
    ]
    node = plots.sankey(log(apart)).data[0].node
    assert list(node.x) == pytest.approx([0.001, 0.5, 0.999, 0.999])
    assert list(node.y) == pytest.approx([1 / 6, 2 / 6, 1 / 6, 4 / 6])


def test_the_bars_of_a_sankey_stand_in_the_order_of_the_states() -> None:
    node = plots.sankey(log()).data[0].node

    assert list(node.label) == ["Lead", "Offer", "Won", "Lost"]
    assert list(node.x) == pytest.approx([0.001, 0.5, 0.999, 0.999])
    lead, offer, won, lost = node.y
    assert lead == offer == won < lost


def test_stages_left_out_are_skips() -> None:
    funnel = sf.Funnel([sf.Stage(key, key.upper()) for key in "abc"])
    skipped = sf.StageLog.from_columns(
        funnel,
        opportunity=["A", "A"],
        stage=["a", "c"],
        entered_at=["2026-01-01", "2026-01-02"],
        tz="UTC",
    )

    (text,) = plots.sankey(skipped).data[0].link.customdata
    assert list(text) == ["A → C", "1", "Stages skipped", "1.0 d"]


def test_the_heat_map_shares_out_each_state() -> None:
    figure = plots.heatmap(log())

    (grid,) = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["Lead", "Offer"]
    assert list(figure.layout.xaxis.ticktext) == ["Lead", "Offer", "Won", "Lost"]
    assert [list(row) for row in grid.z] == [[None, 0.5, None, 0.5], [0.5, None, 0.5, None]]


@pytest.mark.parametrize("plot", [plots.sankey, plots.heatmap])
def test_flows_are_drawn_from_a_flow_too(plot: Callable[..., Any]) -> None:
    assert plot(log().flow(), funnel=FUNNEL) == plot(log())
    assert plot(log().flow(by="owner"), funnel=FUNNEL).data[0] == plot(log()).data[0]
    assert "Won" in str(plot(log().flow()).to_plotly_json())


def test_losses_are_stacked_by_reason() -> None:
    figure = plots.losses_by_stage(log())

    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "Price": [0, 1],
        "No reason given": [1, 0],
    }
    assert list(figure.layout.yaxis.ticktext) == ["Lead", "Offer"]


def test_rare_reasons_are_stacked_together() -> None:
    rows = [
        (
            f"{reason}{n}",
            state,
            f"2026-01-0{day}",
            reason if state == "lost" else None,
            "li",
            1,
            None,
        )
        for reason in "abcdefgh"
        for n in range(1 + (reason < "f"))
        for day, state in ((1, "lead"), (2, "lost"))
    ]
    figure = plots.losses_by_stage(log(rows))

    assert [(bar.name, list(bar.x)) for bar in figure.data] == [
        *((reason, [2]) for reason in "abcde"),
        ("3 other reasons", [3]),
    ]


def test_the_pareto_chart_marks_the_vital_few() -> None:
    table = metrics.loss_pareto(log())
    bars, line = plots.loss_pareto(log()).data

    assert list(bars.x) == table["value"].tolist()
    assert list(line.x) == table["cumulative"].tolist() == [0.5, 1.0]
    assert len(set(bars.marker.color)) == 1


def test_visits_that_go_on_are_in_the_curves() -> None:
    figure = plots.time_in_stage(log())

    found = visits(log().view())
    curves = metrics.kaplan_meier(found.days, found.ended, group=found.stage, n_groups=2)
    lines = [trace for trace in figure.data if trace.name is not None]
    assert [line.name for line in lines] == ["Lead", "Offer"]
    for stage, line in enumerate(lines):
        days = np.array(line.x)
        # At the end of the axis: of the last drop, rounding to a microsecond decides.
        assert np.array(line.y)[:-1] == pytest.approx(curves[stage].at(days[:-1]))
        assert line.y[0] == 1
    low, high = curves[0].interval_at(figure.data[0].x[40])
    assert figure.data[0].y[40] == pytest.approx(float(high))
    assert figure.data[1].y[40] == pytest.approx(float(low))


@pytest.mark.parametrize("kind", ["equal_precision", "hall_wellner"])
def test_the_curves_may_have_bands_that_hold_for_the_whole(kind: str) -> None:
    day = np.datetime64("2026-01-01", "us")
    source = sf.StageLog.from_columns(
        log().funnel,
        opportunity=[*range(20), *range(20)],
        stage=[0] * 20 + [1] * 20,
        entered_at=[day] * 20 + [day + np.timedelta64(i + 3, "D") for i in range(20)],
        tz="UTC",
    )
    figure = plots.time_in_stage(source, bands=kind)

    found = visits(source.view())
    band = metrics.kaplan_meier(found.days, found.ended, group=found.stage, n_groups=2)[0].band(
        kind
    )
    high, low, line = figure.data[:3]
    assert min(line.x) == 0
    assert 3 <= min(high.x) < 3.5
    for trace, bound in ((low, 0), (high, 1)):
        assert np.array(trace.y)[:-1] == pytest.approx(band.at(trace.x[:-1])[bound])
    assert line.y == plots.time_in_stage(source).data[2].y


def test_a_cohort_too_young_to_know_is_blank() -> None:
    table = metrics.triangle_by_cohort(log(), period="day")
    (grid,) = plots.cohorts(log(), period="day").data

    values = np.array(grid.z, float)
    assert values.reshape(-1) == pytest.approx(table["value"], nan_ok=True)
    assert np.isnan(values).any()
    (lost,) = plots.cohorts(log(), period="day", outcome="lost").data
    assert np.nanmax(np.array(lost.z, float)) == 1


def test_the_trend_has_each_period() -> None:
    table = metrics.trend_by_period(log(), period="day")
    figure = plots.trend(log(), period="day")

    for line, column in zip(figure.data, ("created", "won", "lost"), strict=True):
        assert list(line.y) == table[column].tolist()
    assert list(figure.data[1].marker.symbol) == ["square"] * 9 + ["square-open"]
    assert figure.layout.xaxis.ticktext[-1] == "2026-01-10"
    assert figure.data[1].customdata[-1][0] == "2026-01-10 (not over)"


def test_signals_of_the_control_chart_have_a_mark_of_their_own() -> None:
    rows = []
    for day in range(1, 21):
        for number in range(20):
            end = "won" if day == 20 or number % 2 else "lost"
            name = f"{day}-{number}"
            rows += [(name, "lead", "2026-01-01", None, "li", 1.0, None)]
            rows += [(name, end, f"2026-01-{day + 1:02}", None, "li", 1.0, None)]
    table = metrics.control_chart_by_period(log(rows), period="day", as_of="2026-01-21")
    upper, lower, centre, rate = plots.control_chart(table).data

    assert np.array(rate.y, float) == pytest.approx(table["win_rate"], nan_ok=True)
    assert np.array(upper.y, float) == pytest.approx(table["upper_limit"], nan_ok=True)
    assert np.array(lower.y, float) == pytest.approx(table["lower_limit"], nan_ok=True)
    assert np.array(centre.y, float) == pytest.approx(table["centre"])
    assert [symbol == "diamond" for symbol in rate.marker.symbol] == [
        signal is not None for signal in table["signal"]
    ]
    assert "diamond" in rate.marker.symbol


def test_owners_are_ranked_with_their_intervals() -> None:
    figure = plots.ranked(log())

    (dots,) = figure.data
    table = metrics.summary(log(), by="owner")
    assert list(figure.layout.yaxis.ticktext) == ["li", "wu"]
    assert list(dots.x) == [1.0, 0.0]
    assert np.array(dots.x) + dots.error_x.array == pytest.approx(table["win_rate_high"])
    assert np.array(dots.x) - dots.error_x.arrayminus == pytest.approx(table["win_rate_low"])
    assert figure.layout.shapes[0].x0 == pytest.approx(1 / 3)  # the win rate of all
    assert figure.layout.title.text == "Win rates by Owner, ranked"


def test_groups_without_closed_deals_are_not_ranked() -> None:
    (dots,) = plots.ranked(log([*ROWS, ("E", "lead", "2026-01-10", None, "xu", 1, None)])).data

    assert len(dots.x) == 2


def test_win_rates_come_in_the_order_of_size() -> None:
    figure = plots.win_rates(log(), by="owner")

    (bars,) = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["wu", "li"]
    assert list(bars.x) == [0.0, 1.0]


def test_the_pipeline_is_drawn_by_amount_and_weighted() -> None:
    amounts, weighted = plots.pipeline(log()).data

    assert list(amounts.x) == [70, 0]
    assert list(weighted.x) == [7, 0]
    (amounts, weighted) = plots.pipeline_by_period(log()).data
    assert list(amounts.x) == [70]


def test_an_axis_of_amounts_names_their_currency_and_the_units_of_the_language() -> None:
    market = sf.datasets.make_pipeline(2000)
    english, chinese = (plots.pipeline(market, lang=lang).layout.xaxis for lang in ("en", "zh"))

    assert english.title.text == "Open amount (CNY)"
    assert chinese.title.text == "跟进中金额（CNY）"
    assert english.ticktext[-1].endswith("M")
    assert chinese.ticktext[-1].endswith("万")
    assert english.tickvals == chinese.tickvals
    # Without a currency there is none to name.
    assert plots.pipeline(log()).layout.xaxis.title.text == "Open amount"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([], ["0"]),
        ([0, 0], ["0"]),
        ([3], ["0", "1", "2", "3"]),
        ([np.nan, 23_065], ["0", "5k", "10k", "15k", "20k"]),
        ([40], ["0", "10", "20", "30", "40"]),
        ([-250.0, 500.0], ["-200", "0", "200", "400"]),
        ([4.1e8, 1.0], ["0", "100M", "200M", "300M", "400M"]),
    ],
)
def test_numbers_on_an_axis_are_few_and_round(values: list[float], texts: list[str]) -> None:
    axis = drawing.from_zero(values, drawing.canvas("en", "light"))

    assert axis["ticktext"] == texts
    assert len(axis["tickvals"]) == len(texts)


def test_without_amounts_the_pipeline_is_drawn_by_number() -> None:
    rows = [(*row[:5], None, None) for row in ROWS]

    (bars,) = plots.pipeline(log(rows)).data
    assert list(bars.x) == [1, 0]


# ── from what ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plot", "table"),
    [
        (plots.funnel, metrics.stage_table),
        (plots.losses_by_stage, lambda log: metrics.loss_table(log, by_stage=True)),
        (plots.loss_pareto, metrics.loss_pareto),
        (plots.cohorts, metrics.triangle_by_cohort),
        (plots.trend, metrics.trend_by_period),
        (plots.control_chart, metrics.control_chart_by_period),
        (plots.ranked, lambda log: metrics.summary(log, by="owner")),
        (plots.pipeline, metrics.pipeline),
        (plots.pipeline_by_period, metrics.pipeline_by_period),
    ],
)
def test_a_table_is_drawn_as_its_log_is(
    plot: Callable[..., Any], table: Callable[[sf.StageLog], sf.Table]
) -> None:
    assert plot(table(log())) == plot(log())
    with pytest.raises(DefinitionError, match=r"no column 'nothing of this'|has no column"):
        plot(sf.Table([]))
    with pytest.raises(DefinitionError, match=r"as_of= is asked of a log; give it to metrics\."):
        plot(table(log()), as_of="2026-01-05")
    with pytest.raises(DefinitionError, match=r"a StageLog, or the table of .*, not int"):
        plot(1)


@every_plot
def test_an_instant_and_a_selection_are_those_of_the_metrics(name: str) -> None:
    when, where = "2026-01-07", {"owner": ["li", "wu"]}

    assert DRAWN[name](log(), as_of=when, where=where) == DRAWN[name](log(), as_of=when)
    assert DRAWN[name](log(), as_of=when) != DRAWN[name](log())
    one, other = (DRAWN[name](log(), where={"owner": owner}) for owner in ("li", "wu"))
    assert one != other


def test_arguments_that_cannot_be_are_refused() -> None:
    with pytest.raises(DefinitionError, match="a StageLog or a StageFlow, not Table"):
        plots.sankey(metrics.flow_table(log()))  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match=r"as_of= is asked of a log; give it to log\.flow"):
        plots.heatmap(log().flow(), as_of="2026-01-05")
    with pytest.raises(DefinitionError, match="whose visits are drawn, not Table"):
        plots.time_in_stage(sf.Table([]))  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match=r"bands= is one of pointwise, .*, not 'wide'"):
        plots.time_in_stage(log(), bands="wide")
    with pytest.raises(DefinitionError, match="win_rates needs by="):
        plots.win_rates(log())
    with pytest.raises(DefinitionError, match="compares groups; give by="):
        plots.ranked(metrics.summary(log()))
    with pytest.raises(DefinitionError, match="theme= is one of light, dark, not 'blue'"):
        plots.funnel(log(), theme="blue")
    with pytest.raises(UnknownLanguageError, match="'fr'"):
        plots.funnel(log(), lang="fr")


def test_without_plotly_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'salesfunnel\[report\]'"):
        drawing.canvas(None, "light").figure("", [], {})


# ── for whom ──────────────────────────────────────────────────────────────────────────────────────


@every_plot
def test_everything_that_people_read_is_in_their_language(name: str) -> None:
    figure = json.dumps(DRAWN[name](log(), lang="zh").to_plotly_json()["layout"]["title"])

    assert any("\\u4e00" <= part < "\\ua000" for part in figure.split('"'))
    assert DRAWN[name](log(), lang="zh").data == DRAWN[name](log(), lang="zh_CN").data
    assert DRAWN[name](log(), lang="zh") != DRAWN[name](log())


NASTY = "<script>alert(1)</script><b>%{x}</b> \"'&amp; \u202eلون =1+1"
SHOWN = (
    "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;%{x}&lt;/b&gt; &quot;&#x27;&amp;amp; لون =1+1"
)


@every_plot
def test_names_are_text_and_neither_markup_nor_templates(name: str) -> None:
    funnel = sf.Funnel([sf.Stage("lead", NASTY), sf.Stage("offer", NASTY)])
    nasty = sf.StageLog.from_columns(
        funnel,
        opportunity=[row[0] for row in ROWS],
        stage=[row[1] for row in ROWS],
        entered_at=[row[2] for row in ROWS],
        reason=[row[3] and NASTY for row in ROWS],
        attributes={"owner": [NASTY] * len(ROWS), "expected_close": [row[6] for row in ROWS]},
        tz="UTC",
    )
    figure = DRAWN[name](nasty)

    texts: list[str] = []

    def walk(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                walk(part, name)
        elif isinstance(value, (list, tuple, np.ndarray)):
            for part in value:
                walk(part, key)
        elif isinstance(value, str):
            texts.append(value)
            if key in {"hovertemplate", "texttemplate"}:
                assert "script" not in value

    walk(figure.to_plotly_json())
    assert not any("<script" in text or "\u202e" in text for text in texts)
    if name not in {"cohorts", "trend", "control_chart", "pipeline_by_period"}:
        assert any(SHOWN in text or SHOWN[:20] in text for text in texts)


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_plot
def test_an_empty_log_has_nothing_to_show(name: str, theme: str) -> None:
    figure = DRAWN[name](log([]), theme=theme)

    assert figure.data == ()
    assert figure.layout.annotations[0].text == "There is nothing to show yet."


MARKET = sorted(set(DRAWN) - {"pipeline_by_period"})
"""Generated logs have no expected dates of closing."""


@pytest.mark.parametrize("name", MARKET)
def test_there_are_no_more_points_for_more_opportunities(name: str) -> None:
    few, many = (
        len(DRAWN[name](sf.datasets.make_pipeline(n, months=3)).to_json()) for n in (300, 3000)
    )

    assert many < 2 * few


@settings(max_examples=60)
@given(logs(FUNNEL), st.sampled_from(MARKET))
def test_any_log_can_be_drawn(log: sf.StageLog, name: str) -> None:
    figure = DRAWN[name](log)

    assert "NaN" not in figure.to_json()
