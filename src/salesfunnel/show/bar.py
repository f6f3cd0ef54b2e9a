"""A ready-made progress bar, for terminals and notebooks."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from salesfunnel.errors import MissingExtraError
from salesfunnel.text.catalogue import catalogue, default_language, resolve
from salesfunnel.wording import Wording

if TYPE_CHECKING:
    from rich.console import Console


class ProgressBar:
    """Shows how far long work has come: give it as ``progress=`` of what takes long.

    A context manager; made by `progress`.
    """

    def __init__(self, bars: Any, lang: str) -> None:
        self._bars = bars
        self._lang = lang
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> ProgressBar:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, done: int, total: int | None, what: str) -> None:
        """Show that so much of some work is done."""
        if what not in self._tasks:
            key, texts = f"progress.{what}", catalogue(self._lang)
            name = texts.text(key) if key in texts else what
            self._tasks[what] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)


def progress(lang: str | None = None, *, console: Console | None = None) -> ProgressBar:
    """Return a progress bar for terminals and notebooks.

    Parameters
    ----------
    lang : str, optional
        Language of the words beside the bar, English by default.
    console : rich.console.Console, optional
        Where it is shown; by default the terminal's standard error, or the notebook's cell.

    Returns
    -------
    ProgressBar

    Raises
    ------
    MissingExtraError
        If rich is not installed.
    UnknownLanguageError
        If there is no catalogue for the language.

    Examples
    --------
    >>> from salesfunnel.datasets import make_pipeline
    >>> log = make_pipeline(100)
    >>> with progress() as bar:  # doctest: +SKIP
    ...     flow = log.flow(progress=bar)
    """
    try:
        import rich.console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
    except ImportError as error:
        raise MissingExtraError(Wording("a progress bar"), "report") from error
    shown = rich.console.Console() if console is None else console
    if console is None and not shown.is_jupyter:
        shown = rich.console.Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=shown,
        transient=True,
    )
    return ProgressBar(bars, resolve(lang or default_language()))
