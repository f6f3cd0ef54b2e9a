"""Rows of codes that can be entries, the columns that they come from, and what these mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rawtable import Broken, Values
from salesfunnel.columns.rejects import RowNumber
from salesfunnel.columns.texts import Texts
from salesfunnel.columns.values import read_labels
from salesfunnel.errors import BadRow, DefinitionError
from salesfunnel.kernel.strings import Fixed
from salesfunnel.log.naming import names_of_states
from salesfunnel.log.states import StageMap
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import to_zone

Coded = tuple[NDArray[np.integer[Any]], list[str]]
"""Codes (N,), -1 where there is none, and the texts that they stand for, ascending."""


class Source(NamedTuple):
    """Columns of equal length, as a user or a file gives them, and what the source calls them.

    `titles` maps the names of the fields here to those of the columns in the source; `broken` tells
    which rows are none, such as a line of a file with too few cells.
    """

    opportunity: Any
    stage: Any
    entered_at: Any
    reason: Any = None
    attributes: Mapping[str, Any] = {}
    amount: Any = None
    order: Any = None
    currency: Any = None
    titles: Mapping[str, str] = {}
    row_number: RowNumber = lambda index: index
    broken: Mapping[int, Broken] = {}

    def title(self, field: str) -> str:
        """Return what the source calls a field."""
        return self.titles.get(field, field)


class Parsing(TypedDict, total=False):
    """How a reader reads values, in the words of `StageLog.from_columns`."""

    stage_map: StageMap | None
    rates: Mapping[str, float] | None
    missing_time: datetime | date | str | None
    date_format: str | None
    tz: str | tzinfo | None


class Meaning(NamedTuple):
    """How values are read; `StageLog.from_columns` describes each.

    `names` has the keys of states by what people call them, which `stage_map` stands above.
    """

    funnel: Funnel
    stage_map: StageMap
    names: Mapping[str, str]
    rates: Mapping[str, float] | None
    missing_time: datetime | date | str | None
    date_format: str | None
    tz: tzinfo | None

    @classmethod
    def of(
        cls,
        funnel: Funnel,
        *,
        stage_map: StageMap | None = None,
        rates: Mapping[str, float] | None = None,
        missing_time: datetime | date | str | None = None,
        date_format: str | None = None,
        tz: str | tzinfo | None = None,
    ) -> Meaning:
        """Return what arguments of a reader mean.

        Raises
        ------
        DefinitionError
            If one is not of its form.
        """
        if not isinstance(stage_map, (Mapping, type(None))):
            raise DefinitionError(
                "stage_map= maps names of stages to states, as in {{'Closed Won': 'won'}}, not "
                "{stage_map!r}",
                stage_map=stage_map,
            )
        if not isinstance(rates, (Mapping, type(None))):
            raise DefinitionError(
                "rates= maps currencies to what one unit of each is worth, as in {{'CNY': 1, "
                "'USD': 7.1}}, not {rates!r}",
                rates=rates,
            )
        return cls(
            funnel=funnel,
            stage_map=stage_map or {},
            names=names_of_states(funnel),
            rates=rates,
            missing_time=missing_time,
            date_format=date_format,
            tz=None if tz is None else to_zone(tz),
        )


class Rows(NamedTuple):
    """N rows that can be entries, in the order of their source, and what became of the others.

    Attributes
    ----------
    ids : (N,) integers
        Codes of opportunities, or the identifiers themselves.
    identifiers : (M,) array, Texts or None
        What the codes stand for; None where they are the identifiers.
    state : (N,) uint8
    time : (N,) int64
        Microseconds since 1970 in UTC.
    reasons : Coded or None
    amounts : (N,) float64 or None
    currency : str or None
    order : (N,) int64 or None
        Ranks of the record numbers.
    numbers : (N,) sequence or None
        The record numbers, as they came.
    given_labels : dict of str to Coded or (N,) integers
        Integers are still to be read as labels.
    bad : list of BadRow
        Rows that cannot be entries, each with its first fault; the first of them at least.
    n_bad : int
        How many there are.
    ignored : int
        Rows that the stage map leaves out.
    unnumbered : Fixed or None
        The identifier of each row, where they are still to be numbered; `join` does it.
    time_bounds : tuple of int or None
        The earliest and the latest time, where they are known.
    """

    ids: NDArray[np.integer[Any]]
    identifiers: NDArray[Any] | Texts | None
    state: NDArray[np.uint8]
    time: NDArray[np.int64]
    reasons: Coded | None
    amounts: NDArray[np.float64] | None
    currency: str | None
    order: NDArray[np.int64] | None
    numbers: Values | None
    given_labels: dict[str, Coded | NDArray[np.integer[Any]]]
    bad: list[BadRow]
    n_bad: int
    ignored: int
    unnumbered: Fixed | None = None
    time_bounds: tuple[int, int] | None = None

    @property
    def labels(self) -> dict[str, Coded]:
        """Labels by attribute, all of them read."""
        return {
            name: read_labels(given) if isinstance(given, np.ndarray) else given
            for name, given in self.given_labels.items()
        }
