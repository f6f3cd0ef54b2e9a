"""Several labels a lead: how they are read, and what naive Bayes makes of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesfunnel.errors import FeatureError
from salesfunnel.scoring import Features, fit_logistic, fit_naive_bayes
from salesfunnel.scoring.predict.several import LabelSets

TAGS: list[Any] = [["vip", "new"], ["vip"], [], None, ["new", "new"]]


def sets_of(features: Features, name: str = "tags") -> list[set[str]]:
    column = features.column(name)
    assert isinstance(column, LabelSets)
    found: list[set[str]] = [set() for _ in range(column.n_leads)]
    for row, code in zip(column.rows.tolist(), column.labels.codes.tolist(), strict=True):
        if code >= 0:
            found[row].add(column.labels.names[code])
    return found


@pytest.mark.parametrize(
    "columns",
    [
        {"tags": TAGS},
        {"tags": [each and tuple(each) for each in TAGS]},
        {"tags": [each if each is None else set(each) for each in TAGS]},
        {"tags": [each if each is None else np.array(each, object) for each in TAGS]},
        pd.DataFrame({"tags": TAGS}),
        pl.DataFrame({"tags": TAGS}),
        pa.table({"tags": TAGS}),
    ],
    ids=["lists", "tuples", "sets", "arrays", "pandas", "polars", "pyarrow"],
)
def test_a_column_of_collections_has_several_labels_a_lead(columns: Any) -> None:
    features = Features(columns)

    assert len(features) == 5
    assert sets_of(features) == [{"vip", "new"}, {"vip"}, set(), set(), {"new"}]


label_lists = st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=8)


@given(label_lists, st.data())
def test_some_of_the_leads_keep_their_labels(tags: list[list[str]], data: st.DataObject) -> None:
    features = Features({"tags": [*tags, ["a"]], "n": range(len(tags) + 1)})
    places = st.integers(0, len(tags))
    chosen = data.draw(st.lists(places, max_size=6))

    part = features[np.array(chosen, np.int64)]

    expected = [set([*tags, ["a"]][place]) for place in chosen]
    assert sets_of(part) == expected
    mask = np.array([place in chosen for place in range(len(tags) + 1)])
    assert sets_of(features[mask]) == [set([*tags, ["a"]][p]) for p in sorted(set(chosen))]
    assert sets_of(features[1:]) == [set(each) for each in [*tags, ["a"]][1:]]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([["a"], "b"], "row 1, tags: 'b', expected a list of labels, as other leads have, or none"),
        ([["a"], 3], "row 1, tags: 3, expected a list of labels, as other leads have, or none"),
        ([["a"], ["b", None]], "row 1, tags: None, expected labels, each of them a text"),
        ([["a", ["b"]]], "row 0, tags: ['b'], expected labels, each of them a text"),
    ],
)
def test_what_is_no_collection_of_labels_is_refused(tags: Any, message: str) -> None:
    with pytest.raises(FeatureError, match=r"^tags has a value that cannot be used:\n") as refusal:
        Features({"tags": tags})

    assert message in str(refusal.value)


# ── naive Bayes ───────────────────────────────────────────────────────────────────────────────────


def slow_probability(tags: list[set[str]], won: list[bool], lead: set[str], least: int) -> float:
    """Odoo's sums and products: each tag is a value of its own."""
    of_won, of_lost = 0.1 + sum(won), 0.1 + len(won) - sum(won)
    table: dict[str, list[float]] = {}
    for each, is_won in zip(tags, won, strict=True):
        for tag in each:
            table.setdefault(tag, [0, 0])[not is_won] += 1
    table = {tag: counts for tag, counts in table.items() if sum(counts) >= least}
    won_total = sum(counts[0] + 0.1 for counts in table.values())
    lost_total = sum(counts[1] + 0.1 for counts in table.values())
    for tag in lead & table.keys():
        of_won *= (table[tag][0] + 0.1) / won_total
        of_lost *= (table[tag][1] + 0.1) / lost_total
    return of_won / (of_won + of_lost)


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("abcd"), max_size=4), st.booleans()), max_size=15),
    st.sampled_from([0, 3]),
)
def test_every_label_counts_by_itself(rows: list[tuple[list[str], bool]], least: int) -> None:
    rows = [*rows, (["a"], True), (["b", "a"], False)]
    tags, won = [set(row[0]) for row in rows], [row[1] for row in rows]
    model = fit_naive_bayes({"tags": [row[0] for row in rows]}, won, min_leads=least)
    leads = [set(), {"a"}, {"a", "b"}, {"a", "b", "c", "d"}, {"z", "b"}]

    found = model.probability({"tags": [list(lead) for lead in leads]}, unknown="ignore")

    expected = [slow_probability(tags, won, lead, least) for lead in leads]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_leads_without_labels_count_where_a_blank_does() -> None:
    model = fit_naive_bayes({"tags": TAGS}, [1, 0, 1, 1, 0], blanks_count=["tags"])

    assert model.terms[0].levels == ("new", "vip", None)
    assert model.terms[0].won == (1, 1, 2)
    assert model.terms[0].lost == (1, 1, 0)


def test_a_label_that_was_never_seen_is_told_with_its_lead() -> None:
    model = fit_naive_bayes({"tags": TAGS}, [1, 0, 1, 1, 0])

    message = "tags: 2 leads have levels that the model has not seen"
    with pytest.raises(FeatureError, match=message) as refusal:
        model.probability({"tags": [["vip", "old"], [], ["old", "lost"]]})
    told = re.findall(r"row (\d), tags: '(\w+)', expected one of 'new', 'vip'", str(refusal.value))
    assert told == [("0", "old"), ("2", "lost"), ("2", "old")]


def test_other_models_have_one_label_a_lead() -> None:
    won = [True, False, True, False, True]
    with pytest.raises(FeatureError, match="tags: logistic regression has one label a lead, and"):
        fit_logistic({"tags": TAGS}, won)
    with pytest.raises(FeatureError, match="tags: a lead has one label here, and these leads have"):
        fit_naive_bayes({"tags": TAGS}, won, in_order={"tags": ["new", "vip"]})
    by_number = fit_logistic({"tags": [1, 2, 3, 4, 5]}, won)
    with pytest.raises(FeatureError, match="tags: the model has learnt from numbers here, and the"):
        by_number.probability({"tags": TAGS})
