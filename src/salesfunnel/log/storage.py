"""Flows, stage counts and milestones in .npz files, exactly as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.npz import Stored, read_npz, write_npz
from salesfunnel.columns.packedvalues import pack_texts, pack_values, unpack_texts, unpack_values
from salesfunnel.kernel.sketch import BUCKET_BITS, DurationSketch, buckets
from salesfunnel.kernel.sums import MICRO, ExactSums
from salesfunnel.log.labels import Group
from salesfunnel.log.merging import Known, Mergeable
from salesfunnel.log.milestones import Milestones
from salesfunnel.log.stagecounts import COUNTS, MODES, StageCounts
from salesfunnel.log.stageflow import StageFlow
from salesfunnel.model.opportunity import STATUSES
from salesfunnel.periods import FIRST, LAST
from salesfunnel.wording import Wording

_NEVER = np.iinfo(np.int64).min
"""As a time, NaT."""
_MAX_STATES = 252


# ── flows ─────────────────────────────────────────────────────────────────────────────────────────


def save_flow(flow: StageFlow, path: str | Path) -> None:
    """Write a flow to a file; `StageFlow.save` says what can go wrong."""
    arrays = {"counts": flow.counts, "starts": flow.starts, "ends": flow.ends}
    for name, sums in (("durations", flow.durations), ("amounts", flow.amounts)):
        if sums is not None:
            arrays |= {f"{name}.whole": sums.whole, f"{name}.micro": sums.micro}
    if flow.sketch is not None:
        arrays |= {"sketch.keys": flow.sketch.keys, "sketch.counts": flow.sketch.counts}
    about = {**_about_groups(flow), "zone": flow.zone}
    write_npz(path, "StageFlow", about, arrays | _pack_groups(flow), compressed=True)


def load_flow(path: str | Path, max_bytes: int) -> StageFlow:
    """Return the flow that `save_flow` wrote; `StageFlow.load` says what can go wrong."""
    stored = read_npz(path, "StageFlow", max_bytes=max_bytes)
    states, instant = _states(stored), _instant(stored)
    by, groups = _unpack_groups(stored)
    one = (len(states),) if groups is None else (len(groups), len(states))
    pairs = (*one, len(states))

    def sums(name: str) -> ExactSums | None:
        if f"{name}.whole" not in stored.arrays:
            return None
        micro = stored.array(f"{name}.micro", np.int64, pairs, least=0, most=MICRO - 1)
        return ExactSums(stored.array(f"{name}.whole", np.int64, pairs), micro)

    counts = stored.array("counts", np.int64, pairs, least=0)
    return StageFlow(
        states=states,
        by=by,
        groups=groups,
        counts=counts,
        durations=sums("durations"),
        amounts=sums("amounts"),
        starts=stored.array("starts", np.int64, one, least=0),
        ends=stored.array("ends", np.int64, one, least=0),
        instant=instant,
        zone=_text_or_none(stored, "zone"),
        sketch=_sketch(stored, counts),
    )


def _sketch(stored: Stored, counts: NDArray[np.int64]) -> DurationSketch | None:
    """Return the sketch of the durations of so many transitions; None if there is none."""
    if "sketch.keys" not in stored.arrays:
        return None
    keys = stored.array("sketch.keys", np.int64, least=0, most=(counts.size << BUCKET_BITS) - 1)
    there = stored.array("sketch.counts", np.int64, keys.shape, least=1)
    sketch = DurationSketch(counts.shape, keys, there)
    bucket = keys & ((1 << BUCKET_BITS) - 1)
    ascend = (keys[1:] > keys[:-1]).all() and (bucket < len(buckets().first)).all()
    if not ascend or not np.array_equal(sketch.n_durations, counts):
        raise stored.fault(Wording("its sketch is not of as many durations as it has transitions"))
    return sketch


# ── stage counts ──────────────────────────────────────────────────────────────────────────────────


def save_counts(counts: StageCounts, path: str | Path) -> None:
    """Write stage counts to a file; `StageCounts.save` says what can go wrong."""
    arrays = {name: getattr(counts, name) for name in COUNTS}
    about = {**_about_groups(counts), "mode": counts.mode}
    write_npz(path, "StageCounts", about, arrays | _pack_groups(counts), compressed=True)


def load_counts(path: str | Path, max_bytes: int) -> StageCounts:
    """Return what `save_counts` wrote; `StageCounts.load` says what can go wrong."""
    stored = read_npz(path, "StageCounts", max_bytes=max_bytes)
    states, instant, mode = _states(stored), _instant(stored), stored.about.get("mode")
    if mode not in MODES:
        raise stored.fault(Wording("its mode is {mode!r}", mode=mode))
    by, groups = _unpack_groups(stored)
    n_stages = len(states) - 2
    shape = (n_stages,) if groups is None else (len(groups), n_stages)
    arrays: dict[str, Any] = {
        name: stored.array(name, np.int64, shape, least=None if name == "skipped" else 0)
        for name in COUNTS
    }
    return StageCounts(states=states, mode=mode, by=by, groups=groups, instant=instant, **arrays)


# ── milestones ────────────────────────────────────────────────────────────────────────────────────


def save_milestones(milestones: Milestones, path: str | Path) -> None:
    """Write milestones to a file; `Milestones.save` says what can go wrong."""
    arrays: dict[str, NDArray[Any]] = {
        "entered_at": milestones.entered_at.view(np.int64),
        "status_code": milestones.status_code,
        "furthest": milestones.furthest,
        "last": milestones.last,
        **pack_values("opportunity", milestones.opportunity, Wording("the identifier")),
    }
    write_npz(path, "Milestones", _about(milestones), arrays, compressed=True)


def load_milestones(path: str | Path, max_bytes: int) -> Milestones:
    """Return what `save_milestones` wrote; `Milestones.load` says what can go wrong."""
    stored = read_npz(path, "Milestones", max_bytes=max_bytes)
    states, instant = _states(stored), _instant(stored)
    n_states, opportunity = len(states), unpack_values(stored, "opportunity")
    time = stored.array("entered_at", np.int64, (len(opportunity), n_states), most=LAST)
    if ((time < FIRST) & (time != _NEVER)).any():
        raise stored.fault(Wording("the array 'entered_at' has times before the year 1"))

    def codes(name: str, n_codes: int) -> NDArray[np.uint8]:
        return stored.array(name, np.uint8, (len(opportunity),), most=n_codes - 1)

    return Milestones(
        states=states,
        opportunity=opportunity,
        entered_at=time.view("datetime64[us]"),
        status_code=codes("status_code", len(STATUSES)),
        furthest=codes("furthest", n_states - 1),
        last=codes("last", n_states),
        instant=instant,
    )


# ── what they share ───────────────────────────────────────────────────────────────────────────────


def _about(value: Known) -> dict[str, Any]:
    return {"states": list(value.states), "instant": value.instant}


def _about_groups(value: Mergeable) -> dict[str, Any]:
    n_groups = None if value.groups is None else len(value.groups)
    return {**_about(value), "by": list(value.by), "n_groups": n_groups}


def _pack_groups(value: Mergeable) -> dict[str, NDArray[Any]]:
    """Return the labels of groups, an attribute at a time, and which of them are unknown."""
    if value.groups is None:
        return {}
    arrays: dict[str, NDArray[Any]] = {}
    for place in range(len(value.by)):
        labels = [group[place] if isinstance(group, tuple) else group for group in value.groups]
        arrays |= pack_texts(f"group.{place}", [label or "" for label in labels])
        arrays[f"group.{place}.known"] = np.array([label is not None for label in labels], bool)
    return arrays


def _unpack_groups(stored: Stored) -> tuple[tuple[str, ...], tuple[Group, ...] | None]:
    """Return what makes the groups, and their names."""
    by, n_groups = _texts(stored, "by"), stored.about.get("n_groups")
    if n_groups is None and not by:
        return (), None
    if not by or not isinstance(n_groups, int):
        raise stored.fault(Wording("it has {n_groups!r} groups by {by}", n_groups=n_groups, by=by))
    columns = []
    for place in range(len(by)):
        known = stored.array(f"group.{place}.known", np.bool_, (n_groups,)).tolist()
        labels = unpack_texts(stored, f"group.{place}")
        if len(labels) != n_groups:
            raise stored.fault(
                Wording(
                    "it has {n_groups} groups, and labels of {n_labels}",
                    n_groups=n_groups,
                    n_labels=len(labels),
                )
            )
        columns.append(
            [text if is_one else None for text, is_one in zip(labels, known, strict=True)]
        )
    groups: tuple[Group, ...] = (
        tuple(columns[0]) if len(by) == 1 else tuple(zip(*columns, strict=True))
    )
    if len(set(groups)) < n_groups:
        raise stored.fault(Wording("two groups have one name"))
    return by, groups


def _states(stored: Stored) -> tuple[str, ...]:
    states = _texts(stored, "states")
    if not 3 <= len(set(states)) == len(states) <= _MAX_STATES:
        raise stored.fault(Wording("its states are {states}", states=states))
    return states


def _texts(stored: Stored, name: str) -> tuple[str, ...]:
    found = stored.about.get(name)
    if not isinstance(found, Sequence) or not all(isinstance(text, str) for text in found):
        raise stored.fault(Wording("its {name} are {found!r}", name=name, found=found))
    return tuple(found)


def _text_or_none(stored: Stored, name: str) -> str | None:
    found = stored.about.get(name)
    if found is not None and not isinstance(found, str):
        raise stored.fault(Wording("its {name} is {found!r}", name=name, found=found))
    return found


def _instant(stored: Stored) -> int | None:
    found = stored.about.get("instant")
    if found is not None and not (type(found) is int and FIRST <= found <= LAST):
        raise stored.fault(Wording("its instant is {found!r}", found=found))
    return found
