"""Every reader of files tells how much of them it has read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.kernel import progress as meters
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.current import read_current
from salesfunnel.log.wide import read_wide
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["lead", "demo"])
ROWS = [{"id": f"O-{n}", "stage": "demo", "at": "2026-01-05T00:00Z", "end": ""} for n in range(500)]
STAGE_ROWS = [
    {"Id": f"H{n}", "OpportunityId": f"{n:018}", "StageName": "demo", "CreatedDate": row["at"]}
    for n, row in enumerate(ROWS)
]
DEALS = {
    "results": [
        {"id": row["id"], "properties": {"dealstage": "demo", "createdate": row["at"]}}
        for row in ROWS
    ]
}
FORMS = [{"_id": row["id"], "createTime": row["at"], "stage": "demo"} for row in ROWS]
Told = list[tuple[int, int | None, str]]


def current(path: Path, progress: Progress) -> Any:
    columns: Any = {"opportunity": "id", "stage": "stage", "created": "at", "closed": "end"}
    return read_current(path, FUNNEL, **columns, progress=progress)


def wide(path: Path, progress: Progress) -> Any:
    return read_wide(path, FUNNEL, opportunity="id", stages={"demo": "at"}, progress=progress)


def by_names(path: Path, progress: Progress) -> Any:
    return read_wide(path, Funnel(["at", "end"]), opportunity="id", progress=progress)


READERS: list[tuple[str, Callable[[Path, Progress], Any], Any]] = [
    *((ending, reader, ROWS) for ending in ("json", "jsonl", "csv") for reader in (current, wide)),
    ("jsonl", by_names, ROWS),
    ("json", by_names, ROWS),
    (
        "json",
        lambda path, bar: salesforce.load(history=path, funnel=FUNNEL, progress=bar),
        {"done": True, "records": STAGE_ROWS},
    ),
    ("json", lambda path, bar: hubspot.load(deals=path, funnel=FUNNEL, progress=bar), DEALS),
    (
        "json",
        lambda path, bar: jiandaoyun.load(
            data=path, fields={"stage": "stage"}, funnel=FUNNEL, progress=bar, partial=True
        ),
        {"data": FORMS},
    ),
]


@pytest.mark.parametrize(("ending", "read", "content"), READERS)
def test_a_reader_tells_of_its_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    read: Callable[[Path, Progress], Any],
    content: Any,
) -> None:
    monkeypatch.setattr(meters, "INTERVAL", 0.0)
    path = tmp_path / f"deals.{ending}"
    lines = {"json": [json.dumps(content)], "jsonl": map(json.dumps, content)}
    lines["csv"] = ["id,stage,at,end", *(",".join(row.values()) for row in ROWS)]
    path.write_text("\n".join(lines[ending]), encoding="utf-8")
    told: Told = []

    log = read(path, lambda *work: told.append(work))

    size = path.stat().st_size
    assert len(log) == len(ROWS)
    assert told[-1] == (size, size, "read")
    assert all(0 < done <= size and total == size for done, total, _ in told)


def test_files_are_told_of_one_after_another(tmp_path: Path) -> None:
    told: Told = []
    paths = [tmp_path / "1.json", tmp_path / "2.json"]
    for path, half in zip(paths, (STAGE_ROWS[:10], STAGE_ROWS[10:]), strict=True):
        path.write_text(json.dumps({"done": half[0] != STAGE_ROWS[0], "records": half}))

    salesforce.load(history=paths, funnel=FUNNEL, progress=lambda *work: told.append(work))

    ends = [path.stat().st_size for path in paths]
    assert [done for done, total, _ in told if done == total] == [
        end for end in ends for _ in range(2)
    ]


def test_by_pipeline_it_is_told_once(tmp_path: Path) -> None:
    told: Told = []
    path = tmp_path / "deals.json"
    path.write_text(json.dumps(DEALS))
    stages = [{"id": "demo", "displayOrder": 0, "metadata": {"probability": "0.4"}}]
    pipelines = {"results": [{"id": "default", "label": "Sales", "stages": stages}]}

    hubspot.load_by_pipeline(
        deals=path, pipelines=pipelines, progress=lambda *work: told.append(work)
    )

    assert len([work for work in told if work[0] == work[1]]) <= 2


def test_what_it_raises_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "deals.json"
    path.write_text(json.dumps(ROWS))

    def stop(*work: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        current(path, stop)
