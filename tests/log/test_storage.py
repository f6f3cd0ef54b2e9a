"""Files of logs, flows, counts and milestones: what was saved comes back, and nothing else does."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Hashable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import dateutil.tz
import numpy as np
import pytest
from histories import MODES, log_of, oracles
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Mode, Oracle

from salesfunnel.errors import (
    DataError,
    DefinitionError,
    EmptyFileError,
    FileFormatError,
    FileLimitError,
    TruncatedFileError,
)
from salesfunnel.log.milestones import Milestones
from salesfunnel.log.stagecounts import StageCounts
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

FUNNEL = Funnel(["lead", Stage("demo", "Demo", names={"zh": "演示"})], ["price"], name="mine")
FEW = settings(max_examples=40)
HOUR = 3_600_000_000
Value = StageLog | StageFlow | StageCounts | Milestones


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved") / "value.npz"


def through(value: Any, path: Path) -> Any:
    value.save(path)
    return type(value).load(path)


def log_like(**columns: Any) -> StageLog:
    given: dict[str, Any] = {
        "opportunity": ["A", "A", "B"],
        "stage": ["lead", "demo", "lost"],
        "entered_at": np.arange(3) * HOUR,
        "reason": [None, None, "price"],
        "amount": [1.5, None, -2.25],
        "attributes": {"owner": ["li", None, "na"], "区域": ["北", "北", "南"]},
        "currency": "CNY",
        "tz": "Asia/Shanghai",
    }
    return StageLog.from_columns(FUNNEL, **{**given, **columns})


# ── round trips ───────────────────────────────────────────────────────────────────────────────────


@FEW
@given(oracles(), st.booleans())
def test_a_log_comes_back(path: Path, oracle: Oracle, bare: bool) -> None:
    log = log_of(oracle, bare=bare)

    back = through(log, path)

    assert back == log
    assert back.entries.packed is None or log.entries.packed is not None
    assert back.flow(by=None if bare else "owner") == log.flow(by=None if bare else "owner")
    assert back.milestones(as_of=oracle.as_of) == log.milestones(as_of=oracle.as_of)


def test_everything_about_a_log_comes_back(path: Path) -> None:
    log = log_like(
        stage=["lead", "nowhere", "archived"],
        stage_map={"archived": None},
        errors="collect",
        tz=timezone(timedelta(hours=5, minutes=45), "NPT"),
    )

    back = through(log, path)

    assert back == log
    assert back.funnel == FUNNEL
    assert back.funnel["demo"].names == {"zh": "演示"}
    assert (back.currency, back.ignored) == ("CNY", 1)
    assert str(back.tz) == "NPT"
    assert list(back.rejected.rows()) == list(log.rejected.rows())
    assert back.rejected.to_text() == log.rejected.to_text()
    assert back.as_of == log.as_of


@pytest.mark.parametrize(
    "value",
    ["", None, b"\xff", 1.5, float("inf"), -0.0, True, 10**30, date(2026, 1, 31), Decimal("1.10")],
)
def test_a_rejected_value_comes_back(path: Path, value: object) -> None:
    log = log_like(stage=["lead", value, "lost"], errors="collect")

    (back,) = through(log, path).rejected["value"].tolist()

    assert (type(back), repr(back)) == (type(value), repr(value))


def test_a_rejected_value_of_another_type_comes_back_as_a_text(path: Path) -> None:
    log = log_like(stage=["lead", ("a", 1), "lost"], errors="collect")

    assert through(log, path).rejected["value"].tolist() == ["('a', 1)"]


@pytest.mark.parametrize(
    "ids",
    [
        np.array([3, 1, 2], np.int32),
        np.array([-(2**62), 2**62, 0]),
        np.array([2**64 - 1, 0, 5], np.uint64),
        np.array([b"b", b"a\x00b", b""]),
        np.array(["北京", "a", "\udc80"]),
        ["b", "a\x00", "line\nbreak"],
        ["\ud800", "ab\x00c", "=1"],
        [b"b", b"\xff", b"c"],
        [2**70, "2", 2],
        [2.5, Decimal("1.10"), uuid.UUID(int=7)],
        [date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC), True],
        [np.int64(7), np.str_("x"), np.float64(0.1)],
    ],
    ids=repr,
)
def test_identifiers_of_any_type_come_back(path: Path, ids: Any) -> None:
    log = StageLog.from_columns(
        FUNNEL, opportunity=ids, stage=["lead"] * 3, entered_at=np.zeros(3, np.int64)
    )
    found = log.milestones()

    back, milestones = through(log, path), through(found, path)

    assert back == log
    assert back.opportunities.dtype == log.opportunities.dtype
    assert milestones == found
    assert milestones.opportunity.dtype == found.opportunity.dtype
    for one, other in zip(back.opportunities.tolist(), log.opportunities.tolist(), strict=True):
        assert isinstance(other, (type(one), np.generic))


def test_an_identifier_that_no_file_has_is_refused_before_one_is_written(tmp_path: Path) -> None:
    log = log_like(opportunity=[("A", 1), ("A", 1), ("B", 2)])

    for value in (log, log.milestones()):
        with pytest.raises(
            DefinitionError, match=r"the identifier \('A', 1\) is of the type tuple"
        ):
            value.save(tmp_path / "value.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tz", ["UTC", "Asia/Shanghai", dateutil.tz.gettz("Asia/Shanghai")])
def test_the_zone_comes_back(path: Path, tz: str | tzinfo) -> None:
    log = log_like(tz=tz)

    back = through(log, path)

    assert (back.tz, type(back.tz)) == (log.tz, type(log.tz))


def test_a_zone_of_the_machine_is_refused(path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"the time zone tzlocal\(\) cannot be written"):
        log_like(tz=dateutil.tz.tzlocal()).save(path)


def test_record_numbers_come_back(path: Path) -> None:
    log = log_like(opportunity=["A"] * 3, order=[2, 3, 1])

    assert log.records is not None
    assert through(log, path) == log


@FEW
@given(
    oracles(),
    st.sampled_from([None, "owner", ("owner",), ("owner", "region")]),
    st.sampled_from(MODES),
    st.booleans(),
)
def test_flows_counts_and_milestones_come_back(
    path: Path, oracle: Oracle, by: Any, mode: Mode, durations: bool
) -> None:
    log = log_of(oracle)

    for value in (
        log.flow(by=by, as_of=oracle.as_of, durations=durations),
        log.stage_counts(mode, by=by, as_of=oracle.as_of),
        log.milestones(as_of=oracle.as_of),
    ):
        back = through(value, path)
        assert back == value


def test_a_flow_by_period_comes_back_with_its_zone(path: Path) -> None:
    flow = log_like().flow(by=["month", "owner"])

    back = through(flow, path)

    assert back == flow
    assert back.zone == "Asia/Shanghai"
    assert back["1970-01", "na"] == flow["1970-01", "na"]


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    for value in values():
        value.save(tmp_path / "a.npz")
        value.save(str(tmp_path / "b.npz"))
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_numpy_reads_the_arrays_without_pickle(path: Path) -> None:
    flow = log_like().flow()
    flow.save(path)

    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["counts"].tolist() == flow.counts.tolist()
        about = json.loads(arrays["about"].tobytes())
    assert (about["format"], about["version"]) == ("salesfunnel.StageFlow", 1)


# ── what cannot be read ───────────────────────────────────────────────────────────────────────────


@cache
def values() -> list[Value]:
    log = log_like()
    return [log, log.flow(by=["owner", "month"]), log.stage_counts(by="owner"), log.milestones()]


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """Change what is in a file: its plain data, and its arrays."""
    with np.load(path) as found:
        arrays = dict(found)
    about = json.loads(arrays.pop("about").tobytes())
    change(about, arrays)
    about["arrays"] = [*arrays]
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    np.savez(path, about=text, **arrays)


@pytest.mark.parametrize("value", values(), ids=lambda value: type(value).__name__)
def test_a_file_of_something_else_is_refused(tmp_path: Path, value: Value) -> None:
    load, path = type(value).load, tmp_path / "file.npz"
    name = type(value).__name__
    with pytest.raises(FileNotFoundError):
        load(path)
    path.write_bytes(b"")
    with pytest.raises(EmptyFileError, match="is empty"):
        load(path)
    path.write_text("opportunity,stage\n")
    with pytest.raises(FileFormatError, match=f"file.npz is no file that {name}.save wrote"):
        load(path)
    np.savez(path, counts=np.zeros(3))
    with pytest.raises(FileFormatError, match=f"file.npz is no file that {name}.save wrote"):
        load(path)
    other = next(other for other in values() if type(other) is not type(value))
    other.save(path)
    found = type(other).__name__
    with pytest.raises(
        FileFormatError, match=f"holds a {found}, not a {name}: read it by {found}.load"
    ):
        load(path)
    value.save(path)
    rewritten(path, lambda about, _: about.update(version=2))
    with pytest.raises(FileFormatError, match=r"is of version 2 of the format.*install a newer"):
        load(path)


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    log_like().flow().save(tmp_path / "flow.npz")
    rewritten(tmp_path / "flow.npz", lambda _, arrays: arrays.update(counts=np.array([{}])))

    with pytest.raises(FileFormatError, match="is no array as it was written"):
        StageFlow.load(tmp_path / "flow.npz")


@pytest.mark.parametrize("value", values(), ids=lambda value: type(value).__name__)
def test_a_file_that_breaks_off_is_told(tmp_path: Path, value: Value) -> None:
    path = tmp_path / "value.npz"
    value.save(path)
    whole = path.read_bytes()

    for length in (5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(TruncatedFileError, match=r"value\.npz breaks off before its end"):
            type(value).load(path)


@settings(max_examples=100)
@given(st.integers(0, 3), st.floats(0, 1), st.integers(1, 255))
def test_a_changed_byte_is_an_error_or_changes_nothing(
    path: Path, which: int, place: float, change: int
) -> None:
    value = values()[which]
    value.save(path)
    data = bytearray(path.read_bytes())
    data[min(int(place * len(data)), len(data) - 1)] ^= change
    path.write_bytes(data)

    try:
        back = type(value).load(path)
    except DataError:
        return
    assert back == value


def test_a_table_of_contents_that_is_elsewhere_is_told(tmp_path: Path) -> None:
    log_like().save(tmp_path / "log.npz")
    data = bytearray((tmp_path / "log.npz").read_bytes())
    data[-4] ^= 0x80  # of where the table begins
    (tmp_path / "log.npz").write_bytes(data)

    with pytest.raises(FileFormatError, match=r"log\.npz is damaged.*: its table of contents is"):
        StageLog.load(tmp_path / "log.npz")


def test_an_array_that_was_lost_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flow.npz"
    log_like().flow().save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        for name, data in members.items():
            file.writestr(name, data)
    with pytest.raises(FileFormatError, match="an array is compressed as none is"):
        StageFlow.load(path)
    members.pop("amounts.whole.npy")
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    with pytest.raises(FileFormatError, match=r"its arrays are counts, .*, amounts\.micro"):
        StageFlow.load(path)


def test_what_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.npz"
    log_like().flow().save(path)

    with pytest.raises(FileLimitError, match=r"bytes once decompressed, more than max_bytes=100,"):
        StageFlow.load(path, max_bytes=100)

    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "<i8", "fortran_order": False, "shape": (10**15,)}
    )
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, data in {**members, "counts.npy": content.getvalue()}.items():
            file.writestr(name, data)
    with pytest.raises(FileFormatError, match=r"counts.npy is not as long as its shape"):
        StageFlow.load(path)


def put(name: str, index: Any, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name][index] = value

    return change


def say(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda about, _: about.update(changes)


def give(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda _, arrays: arrays.update(
        {name.replace("__", "."): array for name, array in changes.items()}
    )


def drop(name: str) -> Callable[[dict[str, Any], dict[str, Any]], object]:
    return lambda _, arrays: arrays.pop(name)


LOG, FLOW, COUNTS, MILESTONES = range(4)


@pytest.mark.parametrize(
    ("which", "change", "why"),
    [
        (LOG, put("state", 0, 4), "'state' is from 1 to 4, not within None to 3"),
        (LOG, put("time", 0, 2**62), "'time' is from"),
        (LOG, put("time", 0, 2 * HOUR), "its entries are not in the order of their times"),
        (LOG, put("n_entries", 0, 0), "'n_entries' is from 0"),
        (LOG, put("n_entries", 0, 2**62), "not as many entries as there are states"),
        (LOG, put("amount", 0, np.inf), "an amount is infinite"),
        (LOG, put("reason.codes", 0, 1), "'reason.codes' is from -1 to 1, not within -1 to 0"),
        (LOG, put("attribute.0.codes", 0, -2), "'attribute.0.codes' is from -2"),
        (LOG, put("attribute.0.names.bytes", 0, 0xFF), "has what is no text: invalid start byte"),
        (LOG, put("attribute.0.names.bytes", 0, 0x7A), "the labels 'attribute.0' are in no order"),
        (LOG, put("attribute.0.names.ends", 0, 9), "'attribute.0.names.ends' is from"),
        (LOG, put("attribute.0.names.ends", 1, 3), "'attribute.0.names' do not end where they"),
        (LOG, put("opportunity.bytes", 1, 0x41), "two opportunities have one identifier"),
        (LOG, give(opportunity=np.array([2, 1])), "two opportunities have one identifier, or they"),
        (LOG, give(opportunity=np.array([True, False], "m8")), "'opportunity' is timedelta64"),
        (LOG, give(opportunity=np.array([[1, 2]])), r"'opportunity' is int64 of shape \(1, 2\)"),
        (
            LOG,
            give(opportunity=np.array([2**31, 65], np.uint32).view("<U1")),
            "'opportunity' is no text",
        ),
        (
            LOG,
            give(opportunity__kinds=np.array([1, 1], np.uint8)),
            "'opportunity' has a value that",
        ),
        (LOG, give(opportunity__kinds=np.array([99, 0], np.uint8)), "'opportunity.kinds' is from"),
        (LOG, give(record=np.array([0, -1, 0])), "'record' is from -1 to 0"),
        (LOG, give(rejected__row=np.array([1])), "what was rejected are of different lengths"),
        (LOG, drop("state"), "the array 'state' is missing"),
        (LOG, say(funnel={}), "funnel"),
        (LOG, say(funnel=5), "funnel"),
        (LOG, say(tz="Asia/Nowhere"), "not 'Asia/Nowhere'"),
        (LOG, say(tz=None), "its zone, its currency or what it ignored is none"),
        (LOG, say(currency=5), "its zone, its currency or what it ignored is none"),
        (LOG, say(attributes=["owner", 5]), r"its attributes are \['owner', 5\]"),
        (LOG, say(attributes=["owner", "b", "c"]), "'attribute.2.names.bytes' is missing"),
        (FLOW, give(counts=np.zeros((1, 4, 4), np.int64)), r"'counts' is int64 of shape \(1, 4, 4"),
        (FLOW, put("counts", (0, 0, 0), -1), "'counts' is from -1"),
        (FLOW, put("durations.micro", (0, 0, 0), 10**6), "'durations.micro' is from 0 to 1000000"),
        (FLOW, drop("durations.micro"), "the array 'durations.micro' is missing"),
        (FLOW, drop("group.0.known"), "the array 'group.0.known' is missing"),
        (FLOW, say(states=["a", "a", "b"]), "its states are"),
        (FLOW, say(states=5), "its states are 5"),
        (FLOW, say(by=[]), r"it has \d groups by \(\)"),
        (FLOW, say(n_groups=None), "it has None groups"),
        (FLOW, say(instant=2**63), "its instant is 9223372036854775808"),
        (FLOW, say(instant=True), "its instant is True"),
        (FLOW, say(zone=5), "its zone is 5"),
        (COUNTS, put("group.0.bytes", slice(2), [0x6E, 0x61]), "two groups have one name"),
        (COUNTS, say(mode="other"), "its mode is 'other'"),
        (COUNTS, put("entered", (0, 0), -1), "'entered' is from -1"),
        (COUNTS, drop("churned"), "the array 'churned' is missing"),
        (MILESTONES, put("status_code", 0, 4), "'status_code' is from"),
        (MILESTONES, put("furthest", 0, 3), "'furthest' is from"),
        (MILESTONES, put("last", 0, 4), "'last' is from"),
        (MILESTONES, put("entered_at", (0, 0), -(2**62)), "times before the year 1"),
        (MILESTONES, give(furthest=np.zeros(2)), "'furthest' is float64 of shape"),
    ],
)
def test_what_cannot_be_is_named(
    tmp_path: Path,
    which: int,
    change: Callable[[dict[str, Any], dict[str, Any]], object],
    why: str,
) -> None:
    value, path = values()[which], tmp_path / "value.npz"
    value.save(path)
    rewritten(path, change)

    with pytest.raises(FileFormatError, match=f"value.npz is damaged or was changed.*{why}"):
        type(value).load(path)


def test_bytes_in_another_order_are_read(tmp_path: Path) -> None:
    def swap(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        for name, array in arrays.items():
            arrays[name] = array.astype(array.dtype.newbyteorder(">"))

    for number, value in enumerate([*values(), log_like(opportunity=np.array(["é", "é", "b"]))]):
        path = tmp_path / f"{number}.npz"
        value.save(path)
        rewritten(path, swap)
        assert type(value).load(path) == value


def test_a_saved_log_goes_on_to_work(path: Path) -> None:
    names: list[Hashable] = ["B", "A"]
    log = log_like(opportunity=[names[0], names[1], names[0]], stage=["lead", "lead", "won"])

    back = through(log, path)

    assert back.opportunities.tolist() == ["B", "A"]
    assert back.stage_counts(by="owner") == log.stage_counts(by="owner")
    with pytest.raises(ValueError, match="read-only"):
        back.entries.state[0] = 1
