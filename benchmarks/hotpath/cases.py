"""The cases, one function each: its data, and all who work on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.data import (
    N_OWNERS,
    by_opportunity_and_time,
    entries,
    owner_by_entry,
    owner_by_opportunity,
    string_ids,
)
from benchmarks.hotpath import (
    with_duckdb,
    with_numpy,
    with_pandas,
    with_pm4py,
    with_polars,
    with_salesfunnel,
)
from benchmarks.hotpath.answer import Answer
from benchmarks.hotpath.contest import OURS, YARDSTICK, Case, Contestant, Target

Contestants = Sequence[Contestant]


def _same(value: Any) -> Callable[[], Any]:
    """Return what gives the same value each time."""
    return lambda: value


def _itself(answer: Answer) -> Answer:
    return answer


def _yardstick(n: int) -> Contestant:
    return Contestant(YARDSTICK, np.sort, lambda: with_numpy.random_keys(n), None)


def unsorted(n: int) -> Contestants:
    data = _same(entries(n))
    return [
        Contestant(OURS, with_salesfunnel.flow, data, _itself),
        _yardstick(n),
        Contestant("numpy lexsort", with_numpy.flow, data, _itself),
        Contestant("DuckDB", with_duckdb.flow, data, with_duckdb.answer),
        Contestant("DuckDB, sorted first", with_duckdb.flow_sorted_first, data, with_duckdb.answer),
        Contestant("polars", with_polars.flow, data, with_polars.answer),
        Contestant("pandas", with_pandas.flow, data, with_pandas.flow_answer),
    ]


def wide_key(n: int) -> Contestants:
    data = _same(entries(n, unit="microsecond"))
    return [
        Contestant(
            OURS,
            with_salesfunnel.flow,
            _same(entries(n)),
            _itself,
            question="whole seconds",
            note="whole seconds, with which it fits",
        ),
        _yardstick(n),
        Contestant(
            f"{OURS}, wide key",
            with_salesfunnel.flow,
            data,
            _itself,
            note="microseconds",
        ),
        Contestant("numpy lexsort", with_numpy.flow, data, _itself),
        Contestant("DuckDB", with_duckdb.flow, data, with_duckdb.answer),
        Contestant("polars", with_polars.flow, data, with_polars.answer),
    ]


def arrives_sorted(n: int) -> Contestants:
    data = entries(n)
    ordered = _same(by_opportunity_and_time(data))
    return [
        Contestant(OURS, with_salesfunnel.flow, _same(data), _itself),
        _yardstick(n),
        Contestant(f"{OURS}, sorted", with_salesfunnel.flow, ordered, _itself),
        Contestant("numpy, sorted", with_numpy.flow_of_sorted, ordered, _itself),
    ]


def prepared(n: int) -> Contestants:
    ordered = entries(n, shuffled=False)
    return [
        Contestant(
            OURS,
            with_salesfunnel.counts_of_log,
            lambda: with_salesfunnel.log(ordered),
            _itself,
        ),
        _yardstick(n),
        Contestant("numpy", with_numpy.counts_of_sorted, _same(ordered), _itself),
        Contestant(
            "DuckDB", with_duckdb.counts_of_sorted, _same(ordered._asdict()), with_duckdb.answer
        ),
        Contestant(
            "polars",
            with_polars.counts_of_sorted,
            _same(with_polars.frame(ordered)),
            with_polars.answer,
        ),
        Contestant(
            "pandas",
            with_pandas.counts_of_sorted,
            _same(with_pandas.frame(ordered)),
            with_pandas.counts_answer,
        ),
        Contestant(
            "pm4py",
            with_pm4py.Process.graph,
            cache(lambda: with_pm4py.Process(ordered)),
            with_pm4py.answer,
            note="its directly-follows graph, in a process and an environment of its own",
        ),
    ]


def prepared_flow(n: int) -> Contestants:
    ordered = entries(n, shuffled=False)
    return [
        Contestant(
            OURS, with_salesfunnel.flow_of_log, lambda: with_salesfunnel.log(ordered), _itself
        ),
        _yardstick(n),
        Contestant("numpy", with_numpy.flow_of_sorted, _same(ordered), _itself),
        Contestant(
            "DuckDB", with_duckdb.flow_of_sorted, _same(ordered._asdict()), with_duckdb.answer
        ),
        Contestant(
            "polars",
            with_polars.flow_of_sorted,
            _same(with_polars.frame(ordered)),
            with_polars.answer,
        ),
        Contestant(
            "pandas",
            with_pandas.flow_of_sorted,
            _same(with_pandas.frame(ordered)),
            with_pandas.flow_answer,
        ),
    ]


def matrix(n: int) -> Contestants:
    # An entry in four begins a history and ends no pair.
    source, target = with_numpy.pairs_of_sorted(entries(3 * n // 2, shuffled=False))
    pairs = source[:n], target[:n]
    columns = dict(zip(("source", "target"), pairs, strict=True))
    in_pandas = _same(pd.DataFrame(columns))
    return [
        Contestant(OURS, with_salesfunnel.matrix, _same(pairs), with_salesfunnel.matrix_answer),
        _yardstick(n),
        Contestant("numpy", with_numpy.matrix, _same(pairs), _itself),
        Contestant("DuckDB", with_duckdb.matrix, _same(columns), with_duckdb.answer),
        Contestant("polars", with_polars.matrix, _same(pl.DataFrame(columns)), with_polars.answer),
        Contestant("pandas groupby", with_pandas.matrix, in_pandas, with_pandas.counts_answer),
        Contestant("pandas crosstab", with_pandas.crosstab, in_pandas, with_pandas.crosstab_answer),
    ]


def owners(n: int) -> Contestants:
    data = entries(n)
    constant, changing = owner_by_opportunity(data), owner_by_entry(data)
    columns = {**data._asdict(), "owner": changing}
    return [
        Contestant(OURS, with_salesfunnel.flow, _same(data), _itself, question="no owners"),
        _yardstick(n),
        Contestant(
            f"{OURS}, by owner",
            with_salesfunnel.flow_by_owner,
            _same((constant, data)),
            with_salesfunnel.by_owner_answer,
            question="one owner",
        ),
        Contestant(
            f"{OURS}, by changing owner",
            with_salesfunnel.flow_by_owner,
            _same((changing, data)),
            with_salesfunnel.by_owner_answer,
        ),
        Contestant("DuckDB", with_duckdb.flow_by_owner, _same(columns), with_duckdb.answer),
        Contestant(
            "polars",
            with_polars.flow_by_owner,
            _same(with_polars.frame(data, owner=changing)),
            with_polars.answer,
        ),
    ]


def owners_of_log(n: int) -> Contestants:
    ordered = entries(n, shuffled=False)
    constant, changing = owner_by_opportunity(ordered), owner_by_entry(ordered)

    def by(name: str, owner: Any) -> Contestant:
        return Contestant(
            name,
            with_salesfunnel.flow_by_owner_of_log,
            lambda: with_salesfunnel.log(ordered, attributes={"owner": owner}),
            with_salesfunnel.by_owner_answer,
            question=name,
        )

    return [
        Contestant(
            OURS,
            with_salesfunnel.flow_of_log,
            lambda: with_salesfunnel.log(ordered),
            _itself,
        ),
        _yardstick(n),
        by(f"{OURS}, by owner", constant),
        by(f"{OURS}, by changing owner", changing),
    ]


def strings(n: int) -> Contestants:
    data = entries(n)
    ids = string_ids(data)
    in_polars = with_polars.frame(data, opportunity=pl.Series(ids.astype(object)))
    in_pandas = with_pandas.frame(data, opportunity=pd.Series(ids, dtype="str"))
    given = {
        OURS: (ids, "a numpy array of fixed-width texts"),
        f"{OURS}, bytes": (ids.astype("S18"), "a numpy array of fixed-width bytes"),
        f"{OURS}, objects": (ids.astype(object), "a numpy array of Python strings"),
    }
    return [
        *(
            Contestant(
                name,
                with_salesfunnel.flow_of_ids,
                _same((column, data)),
                _itself,
                note=note,
            )
            for name, (column, note) in given.items()
        ),
        _yardstick(n),
        Contestant(
            "DuckDB",
            with_duckdb.flow_of_database,
            _same(with_duckdb.database({**data._asdict(), "opportunity": ids.astype(object)})),
            with_duckdb.answer,
            note="from a table of its own",
        ),
        Contestant("polars", with_polars.flow_of_frame, _same(in_polars), with_polars.answer),
        Contestant(
            "pandas",
            with_pandas.flow_of_frame,
            _same(in_pandas),
            with_pandas.flow_answer,
            note=f"strings kept by {in_pandas['opportunity'].dtype.storage}",
        ),
    ]


def ties(n: int) -> Contestants:
    # A quarter of the entries at the time of the one before puts a third of them into ties.
    tied = _same(entries(n, unit="day", tied=0.24))
    return [
        Contestant(
            OURS,
            with_salesfunnel.flow,
            _same(entries(n, unit="day")),
            _itself,
            question="untied",
            note="dates, no two of them equal in one history",
        ),
        _yardstick(n),
        Contestant(
            f"{OURS}, ties",
            with_salesfunnel.flow,
            tied,
            _itself,
            note="dates, a third of the entries at the date of another of the same history",
        ),
        Contestant("numpy lexsort", with_numpy.flow_without_repeats, tied, _itself),
    ]


CASES = {
    case.name: case
    for case in (
        Case(
            "unsorted",
            "unsorted entries → counts and durations",
            unsorted,
            (
                Target(OURS, YARDSTICK, at_most=3),
                Target("DuckDB", OURS, at_least=3.5),
                Target("polars", OURS, at_least=4),
                Target("pandas", OURS, at_least=15),
            ),
        ),
        Case(
            "wide-key",
            "unsorted entries whose packed key does not fit in 63 bits → counts and durations",
            wide_key,
            (Target(f"{OURS}, wide key", OURS, at_most=2),),
        ),
        Case(
            "sorted",
            "entries that arrive sorted → counts and durations",
            arrives_sorted,
            (Target(f"{OURS}, sorted", OURS, at_most=0.45),),
        ),
        Case(
            "prepared",
            "prepared log → counts",
            prepared,
            (
                Target("polars", OURS, at_least=3),
                Target("pandas", OURS, at_least=10),
                Target("pm4py", OURS, at_least=100),
            ),
        ),
        Case("prepared-flow", "prepared log → counts and durations", prepared_flow, ()),
        Case(
            "matrix",
            "arrays of states left and entered → matrix",
            matrix,
            (
                Target("polars", OURS, at_least=3),
                Target("pandas groupby", OURS, at_least=10),
                Target("pandas crosstab", OURS, at_least=10),
            ),
        ),
        Case(
            "owners",
            f"unsorted entries → counts and durations by {N_OWNERS:,} owners",
            owners,
            (
                Target(f"{OURS}, by owner", OURS, at_most=1.5),
                Target(f"{OURS}, by changing owner", OURS, at_most=1.5),
            ),
        ),
        Case(
            "owners-of-log",
            f"prepared log → counts and durations by {N_OWNERS:,} owners",
            owners_of_log,
            (),
        ),
        Case(
            "strings",
            "unsorted entries of 18-character identifiers → counts and durations",
            strings,
            (
                Target("pandas", OURS, at_least=2),
                Target("polars", OURS, at_least=1),
            ),
        ),
        Case(
            "ties",
            "unsorted entries by date → counts and durations",
            ties,
            (Target(f"{OURS}, ties", OURS, at_most=2),),
        ),
    )
}
"""All cases by name, in the order of the table."""
