"""Strings become numbers in order of appearance; a hash never decides that two are equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from salesfunnel.kernel import numbering
from salesfunnel.kernel.numbering import number
from salesfunnel.kernel.strings import Fixed, Sliced, Strings, as_words

Hash = Callable[[list[NDArray[Any]]], NDArray[np.uint64]]


def _two_bits(words: list[NDArray[Any]]) -> NDArray[np.uint64]:
    return np.asarray(np.sum([w.astype(np.uint64) for w in words], axis=0) << np.uint64(62))


# Words that are 0 change no hash: there are more of them where a longer string is near.
HASHES: dict[str, Hash] = {
    "as it is": numbering._hash_of,
    "all collide": lambda words: np.zeros(len(words[0]), np.uint64),
    "many collide": _two_bits,
    "only low bits": lambda words: words[0].astype(np.uint64) & np.uint64(7),
}


def fixed(strings: Sequence[bytes]) -> Fixed:
    """Return strings in a matrix, as an array of bytes has them."""
    array = np.array(strings, "S")
    return Fixed(array.view(np.uint8).reshape(len(strings), -1))


def sliced(strings: Sequence[bytes], gap: bytes = b"#") -> Sliced:
    """Return strings in one buffer, with something between them."""
    lengths = np.array([len(string) for string in strings], np.int64)
    starts = np.cumsum(lengths + len(gap)) - lengths
    return Sliced(as_words(gap + gap.join(strings)), starts, lengths)


def expected(strings: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """Return codes and first rows, by a dictionary."""
    seen: dict[bytes, int] = {}
    first: dict[bytes, int] = {}
    codes = []
    for row, string in enumerate(strings):
        codes.append(seen.setdefault(string, len(seen)))
        first.setdefault(string, row)
    return codes, list(first.values())


def check(strings: Strings, given_: Sequence[bytes]) -> None:
    codes, first = number(strings)

    assert (codes.tolist(), first.tolist()) == expected(given_)


@pytest.fixture(params=HASHES)
def with_hash(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "_hash_of", HASHES[request.param])


# ── against a dictionary ──────────────────────────────────────────────────────────────────────────

alike = st.sampled_from([b"", b"A", b"A1", b"0060000001", b"0060000002", b"of more than 16 bytes"])
any_bytes = st.binary(max_size=20)


@pytest.mark.usefixtures("with_hash")
@pytest.mark.parametrize("few", [128, 0])
def test_they_are_those_of_a_dictionary(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "_FEW", few)
    monkeypatch.setattr(numbering, "_CHUNK", 8)

    @settings(max_examples=50)
    @given(st.lists(alike | any_bytes, max_size=40))
    def run(strings: list[bytes]) -> None:
        check(sliced(strings), strings)
        if strings:
            # An array of bytes drops the zeros at their ends.
            check(fixed(strings), [string.rstrip(b"\0") for string in strings])

    run()


@pytest.mark.usefixtures("with_hash")
def test_many_rows_of_many_strings() -> None:
    rng = np.random.default_rng(5)
    strings = [b"%07d" % i for i in rng.integers(0, 5_000, 40_000)]

    check(fixed(strings), strings)
    check(sliced(strings), strings)


@pytest.mark.usefixtures("with_hash")
def test_few_strings_and_then_others_that_the_sample_has_not() -> None:
    strings = [b"lead", b"demo", b"won"] * 10_000
    strings[777] = b"lost"
    strings[778] = b"a name of more than sixteen bytes"
    strings[20_001] = b"lost"

    check(sliced(strings), strings)
    check(fixed(strings), strings)


@pytest.mark.usefixtures("with_hash")
def test_strings_that_come_in_runs() -> None:
    strings = [b"O-%04d" % (i // 5) for i in range(20_000)]

    check(fixed(strings), strings)
    check(sliced(strings), strings)


def test_there_may_be_none() -> None:
    codes, first = number(sliced([]))

    assert codes.tolist() == first.tolist() == []


# ── strings ───────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.binary(max_size=30), min_size=1))
def test_sliced_strings_are_what_they_were_made_of(strings: list[bytes]) -> None:
    assert list(sliced(strings)) == strings
    assert list(sliced(strings, b"").take(np.arange(len(strings))[::-1])) == strings[::-1]
    assert list(fixed(strings).sliced()) == [string.rstrip(b"\0") for string in strings]


@given(st.integers(1, 40), st.data())
def test_words_tell_strings_of_any_width_apart_by_any_byte(width: int, data: st.DataObject) -> None:
    string = data.draw(st.binary(min_size=width, max_size=width))
    place = data.draw(st.integers(0, width - 1))
    other = bytearray(string)
    other[place] ^= data.draw(st.integers(1, 255))
    matrix = np.frombuffer(string + bytes(other), np.uint8).reshape(2, width)

    for strings in (Fixed(matrix), sliced([string, bytes(other)])):
        assert any(word[0] != word[1] for word in strings.words(0, 2))
        assert number(strings).codes.tolist() == [0, 1]


def test_a_matrix_may_have_gaps_between_its_rows() -> None:
    matrix = np.frombuffer(b"abc|abd|abc|", np.uint8).reshape(3, 4)

    assert number(Fixed(matrix[:, :3])).codes.tolist() == [0, 1, 0]
    assert number(Fixed(matrix[::2, :3])).codes.tolist() == [0, 0]
