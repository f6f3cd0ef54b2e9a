"""Work on some parts while the next ones are still being fetched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

_THREADS = 2
"""Beside the one that fetches. Parts wait for their turn, so more would only hold more memory."""


def work_ahead(
    work: Callable[[Part], Result], parts: Iterable[Part], *, in_thread: Callable[[Part], bool]
) -> Iterator[Result]:
    """Yield what some work makes of each part, in the order of the parts.

    Parameters
    ----------
    work : callable
        What is done to a part. What it raises is raised when it is the part's turn.
    parts : iterable
        Fetched in this thread, a few ahead of the part whose turn it is. What is raised there is
        raised after the turns of the parts before.
    in_thread : callable
        Whether the work on a part may be done in another thread. That takes less time if numpy does
        it, which lets other threads run.
    """
    waiting: deque[Future[Result]] = deque()
    failure: Exception | None = None
    fetched = iter(parts)
    with ThreadPoolExecutor(_THREADS) as threads:
        while True:
            try:
                part = next(fetched)
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            if in_thread(part):
                waiting.append(threads.submit(work, part))
            while len(waiting) > (_THREADS if in_thread(part) else 0):
                yield waiting.popleft().result()
            if not in_thread(part):
                yield work(part)
        while waiting:
            yield waiting.popleft().result()
    if failure is not None:
        raise failure
