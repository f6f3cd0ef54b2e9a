"""Round trips: a log in every format is the log again, and so is a flow."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from histories import log_of, oracles
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle
from pyarrow import parquet

from salesfunnel.errors import (
    DataError,
    DefinitionError,
    EmptyFileError,
    EncodingError,
    FileLimitError,
    MissingColumnError,
    TruncatedFileError,
)
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage
from salesfunnel.table import Table

FUNNEL = Funnel(["lead", Stage("demo", "Demo", names={"zh": "演示"})], ["price"], name="mine")
TRICKY = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    [
        "1",
        "-1.5",
        "NaN",
        "nan",
        "None",
        "True",
        "2026-01-31T00:00:00+00:00",
        "=1+1",
        '"',
        "a,b",
        "\r",
        "\n",
        " x ",
        "\ufeffa",
        "NaT",
        "inf",
        "1e5",
        "\x00",
        "",
        "False",
        "-0",
    ]
)
"""Texts that a format could take for something else."""


ZONES: list[Any] = ["UTC", "Asia/Shanghai", timezone(timedelta(hours=5, minutes=45))]
FEW = settings(max_examples=25, deadline=None)
FRAMES = ("pandas", "polars", "pyarrow", "modin")
MODIN = importlib.util.find_spec("modin") is not None
NO_MODIN = "modin is not installed: it holds pandas back"


@pytest.fixture(scope="module", autouse=True)
def _engine_of_modin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODIN_ENGINE", "python")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round")


def through_csv(log: StageLog, folder: Path) -> StageLog:
    log.to_csv(folder / "log.csv", raw=True)
    return StageLog.from_csv(folder / "log.csv", log.funnel, tz=log.tz, currency=log.currency)


def through_json(log: StageLog, folder: Path) -> StageLog:
    log.to_json(folder / "log.json")
    return StageLog.from_json(folder / "log.json")


def through_parquet(log: StageLog, folder: Path) -> StageLog:
    log.to_parquet(folder / "log.parquet")
    return StageLog.from_parquet(folder / "log.parquet")


def through(backend: str) -> Callable[[StageLog, Path], StageLog]:
    def trip(log: StageLog, folder: Path) -> StageLog:
        frame = log.to_frame(backend)
        return StageLog.from_frame(frame, log.funnel, tz=log.tz, currency=log.currency)

    return trip


TRIPS: dict[str, Callable[[StageLog, Path], StageLog]] = {
    "csv": through_csv,
    "json": through_json,
    "parquet": through_parquet,
    **{backend: through(backend) for backend in FRAMES},
}
NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(name == "modin" and not MODIN, reason=NO_MODIN))
    for name in TRIPS
]


def content(log: StageLog) -> Any:
    """Return what a log says in plain values, for messages and against a faulty comparison."""
    opportunity, state, time = log.entries
    labels = {name: log.attribute(name) for name in log.attributes}
    if log.reasons is not None:
        labels["reasons"] = log.reasons
    return (
        log.identify(opportunity).tolist(),
        state.tolist(),
        np.asarray(time).tolist(),
        None if log.amounts is None else [None if a != a else a for a in log.amounts.tolist()],
        None if log.records is None else log.records.tolist(),
        {
            name: [None if code < 0 else found.names[code] for code in found.codes.tolist()]
            for name, found in labels.items()
        },
        str(log.tz),
        log.currency,
        log.funnel,
    )


def is_short(identifier: Any) -> bool:
    return isinstance(identifier, int) and -(2**63) <= identifier < 2**63


# ── logs ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
@FEW
@given(oracle=oracles(), bare=st.booleans())
def test_any_history_comes_back_unchanged(
    name: str, folder: Path, oracle: Oracle, bare: bool
) -> None:
    ids = {row.opportunity for row in oracle.rows}
    if name in FRAMES and not all(isinstance(i, str) or is_short(i) for i in ids):
        return  # dataframes have no integers of that length
    log = log_of(oracle, bare=bare and all(map(is_short, ids)))

    back = TRIPS[name](log, folder)

    assert content(back) == content(log)
    assert back == log
    assert back.flow() == log.flow()


@st.composite
def tricky_logs(draw: st.DrawFn) -> StageLog:
    """Draw logs with texts that a format could take for something else."""
    n = draw(st.integers(0, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    names = draw(
        st.lists(
            TRICKY | st.sampled_from(["stage", "amount", "attributes.x"]), unique=True, max_size=2
        )
    )
    return StageLog.from_columns(
        FUNNEL,
        opportunity=column(TRICKY.filter(str.strip) | st.integers(-5, 5)),
        stage=column(st.sampled_from(FUNNEL.states)),
        entered_at=column(st.datetimes(timezones=st.just(UTC))),
        reason=column(st.none() | TRICKY) if draw(st.booleans()) else None,
        amount=column(st.none() | st.floats(allow_nan=False, allow_infinity=False))
        if draw(st.booleans())
        else None,
        attributes={name: column(st.none() | TRICKY) for name in names},
        order=column(st.integers(0, 9)) if draw(st.booleans()) else None,
        currency=draw(st.none() | TRICKY),
        tz=draw(st.sampled_from(ZONES)),
    )


@pytest.mark.parametrize("name", ["csv", "json", "parquet"])
@FEW
@given(log=tricky_logs())
def test_no_text_is_taken_for_something_else(name: str, folder: Path, log: StageLog) -> None:
    back = TRIPS[name](log, folder)

    assert content(back) == content(log)
    assert back == log


@pytest.mark.parametrize("name", [name for name in NAMES if name.values[0] in FRAMES])
@FEW
@given(log=tricky_logs())
def test_no_text_is_taken_for_something_else_in_a_dataframe(
    name: str, folder: Path, log: StageLog
) -> None:
    ids = log.opportunities.tolist()
    if len({type(i) for i in ids}) > 1:
        return  # a column of a dataframe is of one type

    assert content(TRIPS[name](log, folder)) == content(log)


def test_what_was_rejected_and_ignored_comes_back_from_json_and_parquet(folder: Path) -> None:
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=["A", "B", "C", None],
        stage=["lead", "leed", "skip", "lead"],
        entered_at=[datetime(2026, 1, 31, tzinfo=UTC)] * 4,
        stage_map={"skip": None},
        errors="collect",
    )

    for trip in (through_json, through_parquet):
        back = trip(log, folder)
        assert back.rejected == log.rejected
        assert back.ignored == log.ignored == 1
        assert back.funnel.name == "mine"
    assert through_csv(log, folder).ignored == 0


def test_text_may_come_from_anywhere(folder: Path) -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=["A"], stage=["lead"], entered_at=["2026-01-31"], tz="UTC"
    )

    assert (
        log.to_csv(raw=True) == "opportunity,stage,entered_at\nA,lead,2026-01-31T00:00:00+00:00\n"
    )
    assert StageLog.from_csv(io.StringIO(log.to_csv(raw=True)), FUNNEL) == log
    assert StageLog.from_json(io.StringIO(log.to_json())) == log
    assert json.loads(log.to_json())["tz"] == "UTC"


def test_csv_for_people_is_safe_in_a_spreadsheet(folder: Path) -> None:
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=["=1+1"],
        stage=["lead"],
        entered_at=["2026-01-31"],
        attributes={"@owner": ["+cmd"]},
        tz="UTC",
    )

    assert log.to_csv(folder / "log.csv").splitlines() == [
        "opportunity,stage,entered_at,'@owner",
        "'=1+1,lead,2026-01-31T00:00:00+00:00,'+cmd",
    ]
    assert (folder / "log.csv").read_bytes().startswith(b"\xef\xbb\xbfopportunity")


def test_attributes_that_are_called_as_a_column_is_have_a_name_of_their_own() -> None:
    log = StageLog.from_columns(
        FUNNEL,
        opportunity=["A"],
        stage=["lead"],
        entered_at=["2026-01-31"],
        attributes={"stage": ["x"], "attributes.stage": ["y"], "owner": ["z"]},
        tz="UTC",
    )

    assert list(log.to_frame("polars").columns) == [
        "opportunity",
        "stage",
        "entered_at",
        "attributes.stage",
        "attributes.attributes.stage",
        "owner",
    ]


# ── two logs ──────────────────────────────────────────────────────────────────────────────────────


def make(**changed: Any) -> StageLog:
    columns: dict[str, Any] = {
        "opportunity": ["A", "A", "B"],
        "stage": ["lead", "lost", "lead"],
        "entered_at": ["2026-01-01", "2026-01-02", "2026-01-03"],
        "reason": [None, "price", None],
        "amount": [1, None, 2],
        "attributes": {"owner": ["x", "y", None]},
        "currency": "CNY",
        "tz": "UTC",
    }
    return StageLog.from_columns(FUNNEL, **{**columns, **changed})


def test_logs_are_equal_if_they_say_the_same() -> None:
    assert make() == make()
    assert make() == make(
        opportunity=["A", "A", "B", "Z"],
        stage=["lead", "lost", "lead", "?"],
        entered_at=["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-01"],
        reason=[None, "price", None, "zzz"],
        amount=[1, None, 2, 3],
        attributes={"owner": ["x", "y", None, "a"]},
        errors="collect",
    )
    assert make() != "a log"
    assert make() != FUNNEL
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())


@pytest.mark.parametrize(
    "changed",
    [
        {"opportunity": ["A", "A", "C"]},
        {"opportunity": ["A", "A", "A"]},
        {"stage": ["lead", "lost", "demo"]},
        {"entered_at": ["2026-01-01", "2026-01-02", "2026-01-04"]},
        {"reason": [None, "timing", None]},
        {"reason": None},
        {"amount": [1, None, 3]},
        {"amount": None},
        {"attributes": {"owner": ["x", "y", "x"]}},
        {"attributes": {"seller": ["x", "y", None]}},
        {"attributes": {}},
        {"currency": "USD"},
        {"tz": "Etc/GMT"},
        {"order": [3, 1, 2]},
    ],
    ids=str,
)
def test_logs_differ_by_everything_that_they_say(changed: dict[str, Any]) -> None:
    assert make(**changed) != make()


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────


def flow_trips(flow: StageFlow, funnel: Funnel, folder: Path) -> dict[str, StageFlow]:
    flow.to_csv(folder / "flow.csv", raw=True)
    flow.to_json(folder / "flow.json")
    flow.to_parquet(folder / "flow.parquet")
    return {
        "csv": StageFlow.from_csv(folder / "flow.csv", funnel),
        "text": StageFlow.from_csv(io.StringIO(flow.to_csv(raw=True)), funnel),
        "json": StageFlow.from_json(folder / "flow.json"),
        "parquet": StageFlow.from_parquet(folder / "flow.parquet"),
        **{
            backend: StageFlow.from_frame(flow.to_frame(backend), funnel)
            for backend in FRAMES
            if backend != "modin" or MODIN
        },
    }


@FEW
@given(
    oracle=oracles(),
    by=st.sampled_from([None, "owner", "quarter", ["owner"], ["owner", "region"]]),
    early=st.booleans(),
    durations=st.booleans(),
)
def test_any_flow_comes_back_unchanged(
    folder: Path, oracle: Oracle, by: Any, early: bool, durations: bool
) -> None:
    log = log_of(oracle)
    flow = log.flow(by=by, as_of="0001-02-03" if early else None, durations=durations)

    for name, back in flow_trips(flow, log.funnel, folder).items():
        assert back == flow, name
        assert back.groups == flow.groups


def test_a_flow_as_csv_has_a_row_for_each_way() -> None:
    flow = make().flow(by="owner")

    assert flow.to_csv().splitlines() == [
        "owner,from,to,count,seconds,microseconds,amount,millionths,as_of",
        "x,,lead,1,0,0,0,0,2026-01-03T00:00:00+00:00",
        "y,lead,lost,1,86400,0,1,0,2026-01-03T00:00:00+00:00",
        "y,lost,,1,0,0,0,0,2026-01-03T00:00:00+00:00",
        ",lead,,1,0,0,0,0,2026-01-03T00:00:00+00:00",
        ",,lead,1,0,0,0,0,2026-01-03T00:00:00+00:00",
    ]


def test_attributes_called_as_a_column_of_flows_come_back(folder: Path) -> None:
    log = make(attributes={"from": ["a", "b", None], "count": ["1", "2", "3"]})

    flow = log.flow(by=["from", "count"])

    for back in flow_trips(flow, FUNNEL, folder).values():
        assert back == flow
        assert back.by == ("from", "count")


# ── what was no log, or no flow ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "error", "why"),
    [
        ("", EmptyFileError, "the text is empty; a line with the names of the columns is expected"),
        (
            "opportunity,stage\nA,lead\n",
            MissingColumnError,
            "has no column 'entered_at', which a l",
        ),
        (
            "opportunity,stage,entered_at\nA,lead\n",
            DataError,
            "row 2 has 2 cells, where the header",
        ),
        ("a,a\n", DataError, "the text names a column twice: a, a"),
        ('opportunity,stage,entered_at\nA,"lead', TruncatedFileError, "ends inside a quoted cell"),
        ('a"b,c\n', DataError, "the text, line 1: not CSV as it was written"),
        ("opportunity,stage,entered_at\nA,lead,\n", DataError, "1 row cannot be entries"),
        (
            "opportunity,stage,entered_at\nA,leed,2026-01-31T00:00:00+00:00\n",
            DataError,
            "'leed', exp",
        ),
    ],
)
def test_csv_that_is_no_log_is_told(text: str, error: type[DataError], why: str) -> None:
    with pytest.raises(error) as refusal:
        StageLog.from_csv(io.StringIO(text), FUNNEL, tz="UTC")
    assert type(refusal.value) is error
    assert why in str(refusal.value)


def test_json_that_is_no_log_is_told() -> None:
    good = json.loads(make().to_json())

    def refused(content: Any, why: str) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        with pytest.raises(DataError) as refusal:
            StageLog.from_json(io.StringIO(text))
        assert why in str(refusal.value)

    refused("{", "the text is not JSON: Expecting property name")
    refused("[]", "the text has no columns, as what was written by to_json has")
    refused({}, "the text has no columns")
    refused({**good, "format": "other"}, "the text is no log that was written by StageLog.to_json")
    refused({**good, "columns": 5}, "the text has no columns as they were written")
    refused(
        {**good, "columns": good["columns"] * 2}, "the text has no columns as they were written"
    )
    refused({**good, "columns": [{"name": "x"}]}, "the text has no columns as they were written")
    refused({**good, "tz": "Mars/Base"}, "the text: what it says about the log is damaged: tz= is")
    refused({**good, "tz": None}, "its time zone had no name and could not be written")
    refused({**good, "funnel": {}}, "the text: what it says about the log is damaged")
    refused({**good, "ignored": "x"}, "the text: what it says about the log is damaged")
    broken = [dict(column) for column in good["columns"]]
    broken[0]["values"] = ["A"]
    refused({**good, "columns": broken}, "has columns of different lengths: [1, 3]")
    broken[0]["type"] = "int64"
    refused({**good, "columns": broken}, "the text has no columns as they were written")


def test_parquet_that_is_no_log_is_told(folder: Path) -> None:
    path = folder / "other.parquet"
    parquet.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match=r"other\.parquet is no log that was written by StageLog"):
        StageLog.from_parquet(path)
    with pytest.raises(DataError, match=r"other\.parquet is no flow that was written by StageFlow"):
        StageFlow.from_parquet(path)
    parquet.write_table(
        pa.table({"a": [1]}).replace_schema_metadata({"salesfunnel": "{oops"}), path
    )
    with pytest.raises(DataError, match=r"other\.parquet: what it says about its columns is damag"):
        StageLog.from_parquet(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="Parquet or Arrow file"):
        StageLog.from_parquet(path)


def test_dataframes_that_are_no_log_are_told() -> None:
    with pytest.raises(
        MissingColumnError, match="the dataframe has no column 'opportunity', which"
    ):
        StageLog.from_frame(pl.DataFrame({"a": [1]}), FUNNEL)
    with pytest.raises(DefinitionError, match="opportunity=, stage= and entered_at= are needed"):
        StageLog.from_frame(make().to_frame("polars"), FUNNEL, opportunity="opportunity")
    with pytest.raises(DefinitionError, match="opportunity=, stage= and entered_at= are needed"):
        StageLog.from_frame(make().to_frame("polars"), FUNNEL, attributes=["owner"])
    with pytest.raises(DataError, match="the dataframe has an entry without a time"):
        StageLog.from_frame(
            make()
            .to_frame("polars")
            .with_columns(pl.lit(None, pl.Datetime("us")).alias("entered_at")),
            FUNNEL,
        )


def test_what_is_no_flow_is_told() -> None:
    flow = make().flow()
    other = Funnel(["a", "b"])
    with pytest.raises(DataError, match="is no flow of a, b, won, lost: 'lead' stands in it"):
        StageFlow.from_csv(io.StringIO(flow.to_csv(raw=True)), other)
    with pytest.raises(MissingColumnError, match="the text has no column 'from', which a flow has"):
        StageFlow.from_csv(io.StringIO("a,b\n"), FUNNEL)
    text = flow.to_csv(raw=True).replace("2026-01-03", "2027-01-01", 1)
    with pytest.raises(DataError, match="in the column 'as_of' is not one time"):
        StageFlow.from_csv(io.StringIO(text), FUNNEL)
    with pytest.raises(DataError, match=r"is no flow that was written by StageFlow\.to_json"):
        StageFlow.from_json(io.StringIO(make().to_json()))


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_compressed_file_has_a_limit_that_can_be_raised(form: str, folder: Path) -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=["A"], stage=["lead"], entered_at=["2026-01-05"], tz="UTC"
    )
    path, flow = folder / f"x.{form}.gz", log.flow()
    texts: list[tuple[str, Callable[..., Any], object]]
    if form == "csv":
        texts = [
            (log.rejected.to_csv(raw=True), Table.from_csv, log.rejected),
            (log.to_csv(raw=True), partial(StageLog.from_csv, funnel=log.funnel), log),
            (flow.to_csv(raw=True), partial(StageFlow.from_csv, funnel=log.funnel), flow),
        ]
    else:
        texts = [
            (log.rejected.to_json(raw=True), Table.from_json, log.rejected),
            (log.to_json(), StageLog.from_json, log),
            (flow.to_json(), StageFlow.from_json, flow),
        ]
    for text, back, value in texts:
        path.write_bytes(gzip.compress(text.encode()))
        with pytest.raises(FileLimitError, match="max_bytes= raises the limit"):
            back(path, max_bytes=10)
        assert type(back(path, max_bytes=100_000)) is type(value)


def test_half_of_a_character_is_told_before_a_file_is_written(folder: Path) -> None:
    log = make(attributes={"owner": ["\ud800", None, None]})

    for write in (log.to_json, lambda path: log.to_csv(path, raw=True)):
        with pytest.raises(
            EncodingError, match="cannot be written as UTF-8: there is half of a ch"
        ):
            write(folder / "never")
        assert not (folder / "never").exists()


def test_a_zone_without_a_name_cannot_be_written() -> None:
    class Mine(tzinfo):
        def utcoffset(self, _: datetime | None) -> timedelta:
            return timedelta(hours=1)

        def tzname(self, _: datetime | None) -> str:
            return "mine"

        def dst(self, _: datetime | None) -> None:
            return None

    log = make(tz=Mine())

    with pytest.raises(DataError, match="its time zone had no name and could not be written"):
        StageLog.from_json(io.StringIO(log.to_json()))
