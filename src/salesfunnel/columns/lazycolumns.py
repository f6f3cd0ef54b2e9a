"""Columns of a dataframe or an Arrow table, each converted when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rawtable import Values
from salesfunnel.columns.values import to_plain


class LazyColumns(Mapping[str, Values]):
    """Columns by name.

    Parameters
    ----------
    names : iterable of str
    convert : callable
        Gives the values of the column of a name.
    """

    def __init__(self, names: Iterable[str], convert: Callable[[str], Values]) -> None:
        self._convert = convert
        self._converted: dict[str, Values | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Values:
        values = self._converted[name]
        if values is None:
            values = self._converted[name] = self._convert(name)
        return values

    def __contains__(self, name: object) -> bool:
        return name in self._converted

    def __iter__(self) -> Iterator[str]:
        return iter(self._converted)

    def __len__(self) -> int:
        return len(self._converted)


def instants(utc: NDArray[np.datetime64]) -> Values:
    """Return times in UTC as microseconds since 1970; as datetimes, if some are missing."""
    micro = utc.astype("datetime64[us]")
    return to_plain(micro) if np.isnat(micro).any() else micro.view(np.int64)
