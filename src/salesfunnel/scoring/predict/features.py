"""What is known of leads: columns of numbers and of labels, whatever they come as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.frames import from_frame, is_frame
from salesfunnel.columns.values import as_column, plain_values, read_labels
from salesfunnel.errors import BadRow, DataError, DefinitionError, FeatureError
from salesfunnel.log.labels import Labels
from salesfunnel.model.missing import is_missing
from salesfunnel.scoring.predict.several import (
    LabelSets,
    Pairs,
    is_collection,
    no_label_sets,
    read_label_sets,
)
from salesfunnel.scoring.validate.arrays import refuse_rows
from salesfunnel.wording import Listed, Wording

Numbers: TypeAlias = NDArray[np.float64]
"""A column of numbers, (N,); NaN where not known."""
FeatureColumn: TypeAlias = Numbers | Labels | LabelSets
"""What is known of leads by one feature."""


class Features:
    """What is known of leads, one row for each.

    A column of numbers is a number, with NaN or None where it is not known; a column of lists is of
    several labels a lead, such as tags; a column of anything else is a label, with None or a blank
    where it is not known.

    Parameters
    ----------
    columns : mapping of str to (N,) sequence, dataframe, or Features
        The features by name. A dataframe of any library that narwhals reads.

    Raises
    ------
    FeatureError
        If there are no columns, they differ in length, or one is of times or infinite numbers.
    MissingExtraError
        If narwhals, which reads dataframes, is not installed.
    DefinitionError
        If it is none of these.

    Examples
    --------
    >>> features = Features({"employees": [12, None, 300], "source": ["web", "referral", ""]})
    >>> features.names, len(features)
    (('employees', 'source'), 3)
    >>> features[[True, False, True]]
    Features(2 leads: employees, source)
    """

    __slots__ = ("_columns", "_length")

    def __init__(self, columns: Any) -> None:
        if isinstance(columns, Features):
            self._columns: Mapping[str, FeatureColumn] = columns._columns
            self._length: int = columns._length
            return
        given = _by_name(columns)
        if not given:
            raise FeatureError("features are columns by name, at least one; there are none")
        self._columns = {str(name): _read(values, str(name)) for name, values in given.items()}
        lengths = {name: _length(column) for name, column in self._columns.items()}
        if len(set(lengths.values())) > 1:
            listing = Listed((f"{name} {length:,}" for name, length in lengths.items()))
            raise FeatureError("features are columns of one length, not {listing}", listing=listing)
        self._length = next(iter(lengths.values()))

    @classmethod
    def from_array(cls, array: Any, names: Sequence[str]) -> Features:
        """Return the columns of an array of numbers, ``(N, len(names))``, as features.

        Raises
        ------
        FeatureError
            If the array has another number of columns.
        """
        table = np.asarray(array)
        if table.ndim != 2 or table.shape[1] != len(names):
            raise FeatureError(
                "features are an array of shape (leads, {n}), a column for each of {names}, not "
                "of shape {shape}",
                n=len(names),
                names=Listed(map(str, names)),
                shape=table.shape,
            )
        return cls(dict(zip(names, table.T, strict=True)))

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Features({len(self):,} leads: {', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def column(self, name: str) -> FeatureColumn:
        """Return a column: numbers, NaN where not known; or labels, -1 where not known.

        Raises
        ------
        FeatureError
            If there is no such column.
        """
        try:
            return self._columns[name]
        except (KeyError, TypeError):
            raise FeatureError(
                "no feature {name!r} among those given: {known}",
                name=name,
                known=Listed(self._columns),
            ) from None

    def __getitem__(self, rows: Any) -> Features:
        """Return some of the leads: a mask, places, or a slice."""
        chosen = rows if isinstance(rows, slice) else np.asarray(rows)
        if isinstance(chosen, np.ndarray) and chosen.dtype.kind == "b":
            _check_mask(chosen, self._length)
        part = object.__new__(Features)
        part._columns = {name: _take(column, chosen) for name, column in self._columns.items()}
        part._length = _length(next(iter(part._columns.values())))
        return part

    def select(self, *names: str) -> Features:
        """Return some of the columns."""
        part = object.__new__(Features)
        part._columns = {name: self.column(name) for name in names}
        part._length = self._length
        return part


def read_features(given: Any, names: Sequence[str] | None = None) -> Features:
    """Return features of whatever form; an array of numbers has its columns in the order of names.

    Raises
    ------
    FeatureError
        If a name is missing, or the array has another number of columns.
    """
    if isinstance(given, (np.ndarray, list, tuple)):
        array = np.asarray(given)
        places = [f"x{place}" for place in range(array.shape[-1] if array.ndim == 2 else 1)]
        return Features.from_array(array, places if names is None else names)
    features = Features(given)
    return features if names is None else features.select(*names)


def as_labels(column: FeatureColumn, name: str) -> Labels:
    """Return a column as labels: whole numbers by what they are called, others not at all.

    Raises
    ------
    FeatureError
        If a number is not whole, or leads have several labels.
    """
    if isinstance(column, Labels):
        return column
    if isinstance(column, LabelSets):
        raise no_label_sets(name, Wording("a lead has one label here"))
    known = ~np.isnan(column)
    if (column[known] % 1 != 0).any():
        raise FeatureError(
            "{name}: naive Bayes counts labels, and this is a column of numbers; cut it into "
            "classes first, as numpy.digitize does",
            name=name,
        )
    distinct, inverse = np.unique(column[known], return_inverse=True)
    codes = np.full(len(column), -1)
    codes[known] = inverse
    return Labels(codes, tuple(f"{value:.0f}" for value in distinct.tolist()))


def label_pairs(column: FeatureColumn, name: str) -> Pairs:
    """Return leads and their labels, of however many; numbers as `as_labels` does.

    Raises
    ------
    FeatureError
        If a number is not whole.
    """
    if isinstance(column, LabelSets):
        return Pairs(column.rows, column.labels)
    labels = as_labels(column, name)
    return Pairs(np.arange(len(labels.codes)), labels)


def as_numbers(column: FeatureColumn, name: str) -> Numbers:
    """Return a column as numbers; of labels only where none is known.

    Raises
    ------
    FeatureError
        If it is of labels.
    """
    if isinstance(column, LabelSets):
        raise no_label_sets(name, Wording("the model has learnt from numbers here"))
    if not isinstance(column, Labels):
        return column
    if (column.codes >= 0).any():
        found = column.names[column.codes[column.codes >= 0][0]]
        raise FeatureError(
            "{name}: the model has learnt from numbers here, and this is a column of labels such "
            "as {found!r}",
            name=name,
            found=found,
        )
    return np.full(len(column.codes), np.nan)


def refuse_levels(
    pairs: Pairs, strange: NDArray[np.bool_], name: str, known: Sequence[str | None]
) -> None:
    """Raise `FeatureError` for the first leads with a level that a model has not seen."""
    column = pairs.labels
    places = np.flatnonzero(strange)
    if len(places) == 0:
        return
    listing = Listed("none" if level is None else repr(level) for level in known[:12])
    more = Wording(", … ({n:,} in all)", n=len(known)) if len(known) > 12 else ""
    names = (*column.names, None)
    shown = [
        BadRow(
            int(pairs.rows[place]),
            name,
            names[column.codes[place]],
            Wording("one of {listing}{more}", listing=listing, more=more),
        )
        for place in places[: DataError.shown].tolist()
    ]
    n_leads = len(np.unique(pairs.rows[places]))
    noun = Wording("lead has a level" if n_leads == 1 else "leads have levels")
    raise FeatureError(
        "{name}: {n_leads:,} {noun} that the model has not seen (unknown='ignore' scores them "
        "without):",
        shown,
        len(places) - len(shown),
        name=name,
        n_leads=n_leads,
        noun=noun,
    )


def _by_name(columns: Any) -> Mapping[Any, Any]:
    if isinstance(columns, Mapping):
        return columns
    if is_frame(columns):
        return from_frame(columns, Wording("the features")).columns
    raise DefinitionError(
        "features are a mapping from names to columns, a dataframe or Features (an array goes by "
        "Features.from_array), not {kind}",
        kind=type(columns).__name__,
    )


def _read(values: Any, name: str) -> FeatureColumn:
    column = as_column(values, name)
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        return _finite(column.astype(np.float64), name)
    if isinstance(column, np.ndarray) and column.dtype.kind in "mM":
        raise _times(name)
    plain = plain_values(column)
    if any(is_collection(value) for value in plain):
        return read_label_sets(plain, name)
    known = [value for value in plain if not is_missing(value)]
    if any(isinstance(value, date) for value in known):
        raise _times(name)
    if known and all(_is_number(value) for value in known):
        numbers = [np.nan if is_missing(value) else float(value) for value in plain]
        return _finite(np.array(numbers, np.float64), name)
    codes, names = read_labels(plain)
    return Labels(codes, tuple(names))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal, np.number, np.bool_))


def _finite(numbers: Numbers, name: str) -> Numbers:
    refuse_rows(np.isinf(numbers), name, numbers, Wording("a finite number, or none"), FeatureError)
    return numbers


def _times(name: str) -> FeatureError:
    return FeatureError(
        "{name}: a time is no feature; give how long something took, or how long ago it was when "
        "the lead was scored, as a number of days",
        name=name,
    )


def _length(column: FeatureColumn) -> int:
    if isinstance(column, LabelSets):
        return column.n_leads
    return len(column.codes) if isinstance(column, Labels) else len(column)


def _take(column: FeatureColumn, chosen: NDArray[Any] | slice) -> FeatureColumn:
    if isinstance(column, LabelSets):
        return column.take(chosen)
    if isinstance(column, Labels):
        return Labels(column.codes[chosen], column.names)
    return column[chosen]


def _check_mask(mask: NDArray[Any], length: int) -> None:
    if mask.shape != (length,):
        raise FeatureError(
            "a mask is one bool for each of {length:,} leads, not {shape}",
            length=length,
            shape=mask.shape,
        )


def level_codes(column: Labels, levels: Sequence[str | None]) -> NDArray[np.int64]:
    """Return the place of each lead's label in a model's levels, -1 for one that is not there."""
    place = {level: index for index, level in enumerate(levels)}
    table = [*(place.get(name, -1) for name in column.names), place.get(None, -1)]
    return np.asarray(np.array(table, np.int64)[column.codes])
