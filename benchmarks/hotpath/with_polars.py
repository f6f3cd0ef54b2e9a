"""Polars on all its threads: sort by two columns, lay each row beside the next, group."""

from __future__ import annotations

from typing import Any

import polars as pl

from benchmarks.data import N_OWNERS, Entries
from benchmarks.hotpath.answer import Answer, from_rows

_SAME = pl.col("opportunity") == pl.col("opportunity").shift(-1)
_TARGET = pl.col("state").shift(-1)
_SECONDS = (pl.col("time").shift(-1) - pl.col("time")) / 1e6


def frame(data: Entries, **columns: Any) -> pl.DataFrame:
    """Return entries as a DataFrame, uncopied; `columns` add to them or replace them."""
    return pl.DataFrame({**data._asdict(), **columns})


def flow(data: Entries) -> pl.DataFrame:
    """Return counts and seconds of unsorted entries."""
    return flow_of_frame(frame(data))


def flow_of_frame(entries: pl.DataFrame) -> pl.DataFrame:
    """Return counts and seconds of a frame in any order."""
    return _add_up(entries.lazy().sort("opportunity", "time"), ["source", "target"])


def flow_by_owner(entries: pl.DataFrame) -> pl.DataFrame:
    """Return counts and seconds by the owner at the entry into the target."""
    return _add_up(
        entries.lazy().sort("opportunity", "time"),
        ["source", "target", "owner"],
        owner=pl.col("owner").shift(-1),
    )


def flow_of_sorted(ordered: pl.DataFrame) -> pl.DataFrame:
    """Return counts and seconds of a frame by opportunity and time."""
    return _add_up(ordered.lazy(), ["source", "target"])


def counts_of_sorted(ordered: pl.DataFrame) -> pl.DataFrame:
    """Return the counts of a frame by opportunity and time."""
    return (
        ordered.lazy()
        .select(source="state", target=_TARGET, same=_SAME)
        .filter("same")
        .group_by("source", "target")
        .len()
        .collect()
    )


def matrix(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return how often each pair of states occurs."""
    return pairs.group_by("source", "target").len()


def answer(result: pl.DataFrame) -> Answer:
    """Return the answer of a result of one row for each pair."""
    columns = {name: result[name].to_numpy() for name in result.columns}
    if "owner" in columns:
        return from_rows(
            columns["source"],
            columns["target"],
            columns["len"],
            columns["seconds"],
            group=columns["owner"],
            n_groups=N_OWNERS,
        )
    return from_rows(columns["source"], columns["target"], columns["len"], columns.get("seconds"))


def _add_up(ordered: pl.LazyFrame, by: list[str], **columns: pl.Expr) -> pl.DataFrame:
    return (
        ordered.select(source="state", target=_TARGET, seconds=_SECONDS, same=_SAME, **columns)
        .filter("same")
        .group_by(by)
        .agg(pl.len(), pl.col("seconds").sum())
        .collect()
    )
