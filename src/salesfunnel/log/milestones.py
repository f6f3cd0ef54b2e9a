"""Milestones: when each opportunity first entered each state, and where it stands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.npz import MAX_BYTES
from salesfunnel.log.identifiers import join_identifiers, same_identifiers
from salesfunnel.log.merging import one_instant, one_set_of_states
from salesfunnel.log.view import View
from salesfunnel.model.opportunity import STATUSES
from salesfunnel.periods import from_microseconds

Scalar = TypeVar("Scalar", bound=np.generic)

_COLUMNS = ("entered_at", "status_code", "furthest", "last")
_STATUS_NAMES = np.array(STATUSES)


@attrs.frozen(slots=False, eq=False)
class Milestones:
    """One row for each opportunity with an entry by `as_of`; a value that adds.

    The milestones of two logs that share no opportunity, taken at the same instant, add up to those
    of both, in the order of a log of the rows of one and then the other: integers in an array
    ascend, other identifiers come as they first appeared.

    Attributes
    ----------
    states : tuple of str
        Keys of the S states.
    opportunity : (M,) array
        Identifiers.
    entered_at : (M, S) datetime64[us]
        First entry into each state, in UTC; NaT where never.
    status_code : (M,) uint8
        Where each stands: 0 open, 1 won, 2 lost, 3 churned.
    furthest : (M,) uint8
        Code of the furthest state: a stage, or K for ``won``.
    last : (M,) uint8
        Code of the state that each stands in.
    instant : int or None
        The instant of knowledge, microseconds since 1970 in UTC; None for an empty log.
    """

    states: tuple[str, ...]
    opportunity: NDArray[Any]
    entered_at: NDArray[np.datetime64]
    status_code: NDArray[np.uint8]
    furthest: NDArray[np.uint8]
    last: NDArray[np.uint8]
    instant: int | None

    def __len__(self) -> int:
        return len(self.opportunity)

    @property
    def status(self) -> NDArray[np.str_]:
        """Where each opportunity stands, by name: open, won, lost or churned, (M,)."""
        return np.asarray(_STATUS_NAMES[self.status_code])

    @property
    def as_of(self) -> datetime | None:
        """The instant of knowledge; None for an empty log."""
        return None if self.instant is None else from_microseconds(self.instant)

    def __add__(self, other: object) -> Milestones:
        if not isinstance(other, Milestones):
            return NotImplemented
        one_set_of_states(self, other)
        instant = one_instant(self, other)
        joined, order = join_identifiers(self.opportunity, other.opportunity)
        columns: dict[str, Any] = {}
        for name in _COLUMNS:
            together = np.concatenate([getattr(self, name), getattr(other, name)])
            columns[name] = _read_only(together if order is None else together[order])
        return attrs.evolve(self, opportunity=joined, instant=instant, **columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Milestones):
            return NotImplemented
        return (
            (self.states, self.instant) == (other.states, other.instant)
            and same_identifiers(self.opportunity, other.opportunity)
            and np.array_equal(self.entered_at.view(np.int64), other.entered_at.view(np.int64))
            and all(
                np.array_equal(getattr(self, name), getattr(other, name)) for name in _COLUMNS[1:]
            )
        )

    __hash__ = None  # type: ignore[assignment]  # equal by content, which is not hashable

    def save(self, path: str | Path) -> None:
        """Write the milestones to an .npz file, for `load`: exactly as they are, without pickle.

        Parameters
        ----------
        path : str or Path
            The same content makes the same bytes.

        Raises
        ------
        DefinitionError
            If an identifier is of a type that no file has: it may be a text, bytes, a number, a
            Decimal, a UUID, a datetime or a date.
        """
        from salesfunnel.log.storage import save_milestones

        save_milestones(self, path)

    @classmethod
    def load(cls, path: str | Path, *, max_bytes: int = MAX_BYTES) -> Milestones:
        """Return the milestones that `save` wrote.

        Parameters
        ----------
        path : str or Path
        max_bytes : int
            The most bytes that the file may have once decompressed.

        Raises
        ------
        FileFormatError
            If `save` did not write the file, or it is of a newer version or damaged.
        EmptyFileError, TruncatedFileError, FileLimitError
            If it is empty, breaks off, or is larger than `max_bytes`.
        OSError
            If there is no such file.
        """
        from salesfunnel.log.storage import load_milestones

        return load_milestones(path, max_bytes)


def milestones(view: View) -> Milestones:
    """Return the milestones of a view."""
    where = view.standing
    return Milestones(
        states=view.funnel.states,
        opportunity=view.log.identify(view.opportunity),
        # The smallest int64, which stands for never, is NaT.
        entered_at=_read_only(view.first_entries.view("datetime64[us]")),
        status_code=_read_only(where.status),
        furthest=_read_only(where.furthest),
        last=_read_only(where.last),
        instant=view.as_of,
    )


def _read_only(column: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a column that the view keeps, safe from changes."""
    shown = column.view()
    shown.flags.writeable = False
    return shown
