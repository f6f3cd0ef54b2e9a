"""Rows of several batches, as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import Texts, as_objects
from salesfunnel.columns.values import number_ids, plain_values, read_ids, read_order
from salesfunnel.errors import CurrencyError
from salesfunnel.kernel.codes import NULL, sort_categories
from salesfunnel.kernel.numbering import digest, merged
from salesfunnel.kernel.strings import Digest, Fixed, Several
from salesfunnel.log.rows import Coded, Rows
from salesfunnel.wording import Listed

_FIRST_PILE, _LAST_PILE = 1 << 16, 1 << 22
"""Values of an array that others are piled into: of the first, and from some on of all."""


def join(parts: Iterable[Rows], *, title: str = "currency", most_bad: int | None = None) -> Rows:
    """Return rows one after another.

    No part is held longer than it takes to add its codes, so that a file is read in little more
    memory than its log takes.

    Parameters
    ----------
    parts : iterable of Rows
        At least one.
    title : str
        What the source calls the column of currencies.
    most_bad : int, optional
        How many bad rows to keep; the others are counted.

    Raises
    ------
    CurrencyError
        If the parts have amounts in different currencies.
    """
    members = iter(parts)
    first = next(members)
    second = next(members, None)
    if second is None:
        if first.unnumbered is None:
            return first
        ids, identifiers = number_ids(first.unnumbered)
        return first._replace(ids=ids, identifiers=identifiers, unnumbered=None)
    together = _Together(title, most_bad)
    for part in chain((first, second), members):
        together.add(part)
    return together.rows()


class _Together:
    """What parts have added up to so far."""

    def __init__(self, title: str, most_bad: int | None) -> None:
        self._title = title
        self._most_bad = most_bad
        self._ids = _Ids()
        self._state, self._time = _Pile(np.uint8), _Pile(np.int64)
        self._amounts: list[NDArray[np.float64] | int] = []
        self._numbers: list[Sequence[Any] | NDArray[Any]] = []
        self._reasons = _Texts()
        self._labels: dict[str, _Texts] = {}
        self._currency: str | None = None
        self._bad: list[Any] = []
        self._counts = np.zeros(2, np.int64)
        self._n_rows = 0

    def add(self, part: Rows) -> None:
        """Add a part."""
        n_rows = len(part.state)
        self._ids.add(part)
        self._state.add(part.state)
        self._time.add(part.time)
        self._amounts.append(n_rows if part.amounts is None else part.amounts)
        if part.numbers is not None:
            self._numbers.append(_compact(part.numbers))
        self._reasons.add(part.reasons, n_rows)
        labels = part.labels
        for name in dict.fromkeys((*self._labels, *labels)):
            texts = self._labels.setdefault(name, _Texts(self._n_rows))
            texts.add(labels.get(name), n_rows)
        self._add_currency(part.currency)
        room = None if self._most_bad is None else max(0, self._most_bad - len(self._bad))
        self._bad += part.bad[:room]
        self._counts += part.n_bad, part.ignored
        self._n_rows += n_rows

    def _add_currency(self, currency: str | None) -> None:
        if None not in (currency, self._currency) and currency != self._currency:
            first, second = self._currency, currency
            raise CurrencyError(
                "{column}: amounts in {currencies}; give what one unit of each is worth by "
                "rates=, as in rates={{'{first}': 1, '{second}': …}}",
                column=self._title,
                currencies=Listed([first, second]),
                first=first,
                second=second,
            )
        self._currency = currency if self._currency is None else self._currency

    def rows(self) -> Rows:
        """Return all parts as one."""
        ids, identifiers = self._ids.joined()
        numbers: Sequence[Any] | NDArray[Any] | None = None
        if self._numbers:
            if all(isinstance(part, np.ndarray) for part in self._numbers):
                numbers = np.concatenate(self._numbers)
            else:
                numbers = list(chain.from_iterable(map(plain_values, self._numbers)))
        amounts = None
        if not all(isinstance(part, int) for part in self._amounts):
            amounts = np.concatenate(
                [np.full(part, np.nan) if isinstance(part, int) else part for part in self._amounts]
            )
        return Rows(
            ids=ids,
            identifiers=identifiers,
            state=self._state.joined(),
            time=self._time.joined(),
            reasons=self._reasons.joined(),
            amounts=amounts,
            currency=self._currency,
            order=None if numbers is None else read_order(numbers, _no_rejects(numbers), "order"),
            numbers=numbers,
            given_labels={
                name: coded
                for name, texts in self._labels.items()
                if (coded := texts.joined()) is not None
            },
            bad=self._bad,
            n_bad=int(self._counts[0]),
            ignored=int(self._counts[1]),
        )


class _Pile:
    """Arrays that come one after another, as a few large ones: that is fewer pages to touch.

    Parameters
    ----------
    kind : type
        Of the values.
    """

    def __init__(self, kind: DTypeLike) -> None:
        self._kind = kind
        self._full: list[NDArray[Any]] = []
        self._open: NDArray[Any] = np.empty(0, kind)
        self._n_open = 0

    def add(self, values: NDArray[Any]) -> None:
        """Add some values, which are copied."""
        while len(values):
            if self._n_open == len(self._open):
                self._full += [self._open] if self._n_open else []
                size = min(max(_FIRST_PILE, 2 * len(self._open)), _LAST_PILE)
                self._open, self._n_open = np.empty(size, self._kind), 0
            fitting = values[: len(self._open) - self._n_open]
            self._open[self._n_open : self._n_open + len(fitting)] = fitting
            self._n_open += len(fitting)
            values = values[len(fitting) :]

    def parts(self) -> list[NDArray[Any]]:
        """Return the arrays, one at least."""
        return [*self._full, self._open[: self._n_open]]

    def joined(self) -> NDArray[Any]:
        """Return all values in one array."""
        return np.concatenate(self.parts())


class _Strings:
    """Identifiers that are still to be numbered."""

    def __init__(self) -> None:
        self._piles: list[tuple[int, _Pile]] = []
        self._hashes = _Pile(np.uint64)
        self._digests: list[Digest] = []

    def add(self, strings: Fixed) -> None:
        """Add those of a part."""
        width = strings.matrix.shape[1]
        if not self._piles or self._piles[-1][0] != width:
            self._piles.append((width, _Pile(f"V{width}")))
        self._piles[-1][1].add(strings.matrix.view(f"V{width}")[:, 0])
        known = digest(strings)
        self._hashes.add(known.hashes)
        self._digests.append(known._replace(hashes=known.hashes[:0]))

    def joined(self) -> Several:
        """Return all, one part at least."""
        parts = [
            Fixed(rows.view(np.uint8).reshape(-1, width))
            for width, pile in self._piles
            for rows in pile.parts()
        ]
        return Several(parts, merged(self._digests, self._hashes.joined()))


class _Ids:
    """Identifiers, numbered as they come; integers stay what they are for as long as all are."""

    def __init__(self) -> None:
        self._strings: _Strings | None = None
        self._seen: dict[Any, int] | None = None
        self._codes: list[NDArray[np.integer[Any]]] = []

    def add(self, part: Rows) -> None:
        """Add those of a part."""
        if part.unnumbered is None:
            self._number_strings()
            self._add(part.ids, part.identifiers)
            return
        self._strings = self._strings or _Strings()
        self._strings.add(part.unnumbered)
        if self._codes:
            self._number_strings()

    def _number_strings(self) -> None:
        if self._strings is not None:
            self._add(*number_ids(self._strings.joined()))
            self._strings = None

    def _add(self, ids: NDArray[np.integer[Any]], identifiers: NDArray[Any] | Texts | None) -> None:
        if self._seen is None and identifiers is None:
            self._codes.append(ids)
            return
        if self._seen is None:
            before, self._codes, self._seen = self._codes, [], {}
            for integers in before:
                self._add(integers, None)
        if identifiers is None:
            identifiers, ids = np.unique(ids, return_inverse=True)
        self._codes.append(_recoded(ids, plain_values(identifiers), self._seen))

    def joined(self) -> tuple[NDArray[np.integer[Any]], NDArray[Any] | Texts | None]:
        """Return codes, and what they stand for."""
        if self._strings is not None:
            return number_ids(self._strings.joined())
        codes = np.concatenate(self._codes)
        if self._seen is None:
            return read_ids(codes, _no_rejects(codes), "opportunity")
        return codes, as_objects(list(self._seen))


class _Texts:
    """Labels or reasons, numbered as they come."""

    def __init__(self, n_before: int = 0) -> None:
        self._seen: dict[str, int] = {}
        self._codes = [np.full(n_before, NULL, np.int32)]
        self._given = False

    def add(self, part: Coded | None, n_rows: int) -> None:
        """Add those of a part; None where it has none at all."""
        if part is None:
            self._codes.append(np.full(n_rows, NULL, np.int32))
            return
        self._given = True
        self._codes.append(_recoded(part[0], part[1], self._seen))

    def joined(self) -> Coded | None:
        """Return the codes and their texts, ascending; None where no part has any."""
        if not self._given:
            return None
        return sort_categories(np.concatenate(self._codes), list(self._seen))


def _recoded(
    codes: NDArray[np.integer[Any]], values: Sequence[Any], seen: dict[Any, int]
) -> NDArray[np.int32]:
    """Return codes of values as codes of all values seen, among which new ones get the next."""
    number = seen.setdefault
    codes_of = [*(number(value, len(seen)) for value in values), NULL]
    recoded: NDArray[np.int32] = np.array(codes_of, np.int32)[codes]
    return recoded


def _compact(numbers: Sequence[Any] | NDArray[Any]) -> Sequence[Any] | NDArray[Any]:
    """Return record numbers as an array of integers, where they are that."""
    if isinstance(numbers, np.ndarray):
        return numbers
    try:
        if all(isinstance(number, (str, int)) for number in numbers):
            return np.array([int(number) for number in numbers], np.int64)
    except (ValueError, OverflowError):
        pass
    return numbers


def _no_rejects(values: Sequence[Any] | NDArray[Any]) -> Rejects:
    """Return what notes no faults, for values that were checked when their part was read."""
    return Rejects(len(values))
