"""Work ahead of its turn: results come in order, and so do errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salesfunnel.log.ahead import work_ahead


def work(part: int) -> int:
    if part < 0:
        raise ValueError(f"part {part}")
    return part * 10


def fetched(parts: list[int], fails: bool) -> Iterator[int]:
    yield from parts
    if fails:
        raise RuntimeError("no more")


@settings(max_examples=50)
@given(st.lists(st.integers(-1, 9), max_size=12), st.booleans())
def test_results_and_errors_come_in_the_order_of_the_parts(parts: list[int], fails: bool) -> None:
    found = []
    error = ""
    try:
        for result in work_ahead(work, fetched(parts, fails), in_thread=lambda part: part % 3 > 0):
            found.append(result)  # noqa: PERF402 - what came before an error counts
    except (ValueError, RuntimeError) as raised:
        error = str(raised)

    good = parts.index(-1) if -1 in parts else len(parts)
    assert found == [part * 10 for part in parts[:good]]
    assert error == ("part -1" if -1 in parts else "no more" if fails else "")


def test_whoever_asks_may_stop_early() -> None:
    results = work_ahead(work, iter(range(100)), in_thread=lambda _: True)

    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]


def test_parts_are_fetched_only_a_few_ahead() -> None:
    seen: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(100):
            seen.append(part)
            yield part

    results = work_ahead(work, parts(), in_thread=lambda _: True)
    next(results)

    assert len(seen) <= 4


def test_what_a_thread_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="part -5"):
        list(work_ahead(work, [1, -5, 2], in_thread=lambda _: True))
