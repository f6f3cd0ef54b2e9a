"""Pandas: sort by two columns, lay each row beside the next, group."""

from __future__ import annotations

from typing import Any

import pandas as pd

from benchmarks.data import Entries
from benchmarks.hotpath.answer import Answer, from_rows


def frame(data: Entries, **columns: Any) -> Any:
    """Return entries as a DataFrame, uncopied; `columns` add to them or replace them."""
    return pd.DataFrame({**data._asdict(), **columns}, copy=False)


def flow(data: Entries) -> Any:
    """Return counts and seconds of unsorted entries."""
    return flow_of_frame(frame(data))


def flow_of_frame(entries: Any) -> Any:
    """Return counts and seconds of a frame in any order."""
    return flow_of_sorted(entries.sort_values(["opportunity", "time"], ignore_index=True))


def flow_of_sorted(ordered: Any) -> Any:
    """Return counts and seconds of a frame by opportunity and time."""
    # A comparison with the next row takes less than a shift inside groupby("opportunity").
    same = ordered["opportunity"].eq(ordered["opportunity"].shift(-1))
    pairs = pd.DataFrame(
        {
            "source": ordered["state"],
            "target": ordered["state"].shift(-1, fill_value=0),
            "seconds": (ordered["time"].shift(-1, fill_value=0) - ordered["time"]) / 1e6,
        }
    )
    return pairs[same].groupby(["source", "target"])["seconds"].agg(["size", "sum"])


def counts_of_sorted(ordered: Any) -> Any:
    """Return the counts of a frame by opportunity and time."""
    same = ordered["opportunity"].eq(ordered["opportunity"].shift(-1, fill_value=-1))
    pairs = pd.DataFrame(
        {"source": ordered["state"], "target": ordered["state"].shift(-1, fill_value=0)}
    )
    return matrix(pairs[same])


def matrix(pairs: Any) -> Any:
    """Return how often each pair of states occurs."""
    return pairs.groupby(["source", "target"]).size()


def crosstab(pairs: Any) -> Any:
    """Return the same as a table of states by states."""
    return pd.crosstab(pairs["source"], pairs["target"])


def flow_answer(result: Any) -> Answer:
    """Return the answer of a flow."""
    source, target = (result.index.get_level_values(level).to_numpy() for level in (0, 1))
    return from_rows(source, target, result["size"].to_numpy(), result["sum"].to_numpy())


def counts_answer(result: Any) -> Answer:
    """Return the answer of counts by pair."""
    source, target = (result.index.get_level_values(level).to_numpy() for level in (0, 1))
    return from_rows(source, target, result.to_numpy())


def crosstab_answer(result: Any) -> Answer:
    """Return the answer of a table of states by states."""
    return counts_answer(result.stack())
