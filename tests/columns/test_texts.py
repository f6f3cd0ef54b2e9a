"""Columns of texts of any form: the same texts are the same strings, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import (
    LONGEST,
    Texts,
    are_missing,
    as_objects,
    sliced_of,
    strings_of,
    take,
)
from salesfunnel.columns.values import read_ids, read_labels
from salesfunnel.kernel.strings import Sliced, as_words
from salesfunnel.model.missing import is_missing

Column = Sequence[Any] | NDArray[Any]


def texts_of(texts: Sequence[str]) -> Texts:
    """Return texts in one buffer."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    lengths = np.array([len(text) for text in encoded], np.int64)
    return Texts(Sliced(as_words(b"".join(encoded)), np.cumsum(lengths) - lengths, lengths))


def zero_ended(texts: Sequence[str]) -> list[str]:
    """Return what an array of texts has of them: zeros at their ends are lost."""
    return [text.rstrip("\0") for text in texts]


FORMS: dict[str, Callable[[list[str]], Column]] = {
    "list": list,
    "tuple": tuple,
    "texts": texts_of,
    "objects": as_objects,
    "array": np.array,
    "array of wide": lambda texts: np.array([*texts, "商机" * 3])[:-1],
    "every second of an array": lambda texts: np.repeat(np.array(texts), 2)[::2],
    "array of the other byte order": lambda texts: np.array(texts).astype(">U24"),
    "variable width": lambda texts: np.array(texts, np.dtypes.StringDType()),
}
texts = st.lists(
    st.sampled_from(
        ["", " ", "A", "A1", "A\n", "A\0", "0060000001", "0060000002", "李娜", "\ud800"]
    )
    | st.text(max_size=10),
    min_size=1,
    max_size=20,
)


def expected_ids(values: Sequence[Any]) -> tuple[list[int], list[Any]]:
    """Return the codes and the identifiers, by a dictionary."""
    seen: dict[Any, int] = {}
    codes = [-1 if is_missing(v) else seen.setdefault(v, len(seen)) for v in values]
    return codes, list(seen)


@pytest.mark.parametrize("form", FORMS)
@given(given_texts=texts)
@example(given_texts=["\x1c", "\x85", "\xa0", "\u2003", "\u3000x", " A", "\t"])
@example(given_texts=["\ud83d\ude00", "😀"])
@example(given_texts=["AB", "A\0", "A\0"])
def test_identifiers_are_those_of_a_dictionary(form: str, given_texts: list[str]) -> None:
    if form == "variable width":  # which holds no half characters
        given_texts = [text.encode("utf-8", "replace").decode() for text in given_texts]
    column = FORMS[form](given_texts)
    if isinstance(column, np.ndarray) and column.dtype.kind == "U":
        given_texts = zero_ended(given_texts)

    codes, ids = read_ids(column, Rejects(len(column), "collect"), "id")

    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == expected_ids(given_texts)


@given(texts)
def test_labels_are_those_of_a_dictionary(given_texts: list[str]) -> None:
    codes, names = read_labels(texts_of(given_texts))

    assert names == sorted({text for text in given_texts if text.strip()})
    assert [names[code] if code >= 0 else None for code in codes.tolist()] == [
        text if text.strip() else None for text in given_texts
    ]


@given(st.lists(st.sampled_from(["A", "", None, float("nan"), pd.NA, pd.NaT, np.str_("A"), "B"])))
def test_what_is_missing_may_stand_among_texts(values: list[Any]) -> None:
    assert strings_of(values) is not None
    for column in (values, as_objects(values)):
        codes, ids = read_ids(column, Rejects(len(values), "collect"), "id")
        assert ids is not None
        assert (codes.tolist(), ids.tolist()) == expected_ids(values)


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "values",
    [
        ["7", 7],
        ["A", 1.5],
        ["A", b"A"],
        ["A", Word("B")],
        [1, 2],
        np.array([1.5]),
        np.array([True]),
        ["A", "B" * (LONGEST + 1)],
        ["A" * (LONGEST + 1)] * 2,
    ],
)
def test_what_is_not_of_texts_alone_has_no_strings(values: Any) -> None:
    assert strings_of(values) is None
    assert sliced_of(values) is None

    codes, ids = read_ids(values, Rejects(len(values), "collect"), "id")

    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == expected_ids(list(values))


def test_numbers_and_texts_of_numbers_are_two_things() -> None:
    for values in (["7", 7, "007"], np.array(["7", 7, "007"], object)):
        codes, ids = read_ids(values, Rejects(3, "collect"), "id")
        assert ids is not None
        assert (codes.tolist(), ids.tolist()) == ([0, 1, 2], ["7", 7, "007"])


def test_bytes_are_identifiers_as_they_are() -> None:
    values = np.array([b"A", b" ", b"", b"A", b"\xff\0\xff"])

    codes, ids = read_ids(values, Rejects(5, "collect"), "id")

    assert ids is not None
    assert (codes.tolist(), ids.tolist()) == ([0, 1, 2, 0, 3], [b"A", b" ", b"", b"\xff\0\xff"])
    assert read_labels(np.array([b"A"]))[1] == ["b'A'"]
    assert sliced_of(values) is None


# ── texts in one buffer ───────────────────────────────────────────────────────────────────────────


@given(texts)
def test_texts_are_a_sequence(given_texts: list[str]) -> None:
    column = texts_of(given_texts)

    assert len(column) == len(given_texts)
    assert list(column) == given_texts
    assert [column[i] for i in range(len(column))] == given_texts
    assert column[-1] == given_texts[-1]
    assert column[1:] == given_texts[1:]
    assert column[::-2] == given_texts[::-2]
    assert take(column, np.array([0, 0])).tolist() == given_texts[:1] * 2
    with pytest.raises(IndexError):
        column[len(column)]


@given(st.lists(st.text(max_size=3) | st.characters(categories=["Z", "C"]), min_size=1))
def test_which_texts_are_blank(values: list[str]) -> None:
    for array in (as_objects(values), np.array(values)):
        assert are_missing(array).tolist() == [is_missing(value) for value in array.tolist()]
