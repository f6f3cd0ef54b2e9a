"""Names of stages in data → codes of states, by way of the stage map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.values import is_missing
from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.kernel.codes import NULL, factorize_objects
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LOST

StageMap = Mapping[Any, str | tuple[str, str] | None]
"""What a name in data means: a state's key, ``("lost", reason)``, or None for no entry."""

_IGNORED, _UNKNOWN = 254, 255


class States(NamedTuple):
    """The states of rows.

    Attributes
    ----------
    codes : (N,) uint8
        Codes of states; of no meaning in rows that are rejected or ignored.
    ignored : (N,) bool
        Rows that the stage map says are no entries.
    reasons : tuple
        Codes (N,) and names of the loss reasons that the stage map gives; -1 where it gives none.
    """

    codes: NDArray[np.uint8]
    ignored: NDArray[np.bool_]
    reasons: tuple[NDArray[np.int64], list[str]]


def read_states(
    values: Sequence[Any] | NDArray[Any],
    funnel: Funnel,
    stage_map: StageMap | None,
    rejects: Rejects,
    column: str,
) -> States:
    """Return the states of rows, noting those that are none in `rejects`.

    Raises
    ------
    DefinitionError
        If the stage map leads to a state or a loss reason that the funnel does not have.
    """
    meaning = {name: _meaning(name, target, funnel) for name, target in (stage_map or {}).items()}
    if not meaning and _are_codes(values):
        return _from_codes(np.asarray(values), funnel, rejects, column)

    plain = values.tolist() if isinstance(values, np.ndarray) else values
    stripped = (value.strip() if isinstance(value, str) else value for value in plain)
    index, names = factorize_objects(None if is_missing(value) else value for value in stripped)
    reason_names = sorted({reason for _, reason in meaning.values() if reason})
    states = np.full(len(names) + 1, _UNKNOWN, np.uint8)
    reasons = np.full(len(names) + 1, NULL)
    for code, name in enumerate(names):
        if name in meaning:
            states[code], reason = meaning[name]
            reasons[code] = reason_names.index(reason) if reason else NULL
        elif isinstance(name, str) and name in funnel.states:
            states[code] = funnel.index(name)
    codes = states[index]
    ignored = codes == _IGNORED
    rejects.leave_out(ignored)
    rejects.add(index == NULL, column, values, "a stage; there is none")
    rejects.add(codes == _UNKNOWN, column, values, _expected(funnel))
    return States(codes, ignored, (reasons[index], reason_names))


def _meaning(name: Any, target: Any, funnel: Funnel) -> tuple[int, str | None]:
    """Return the code of the state that a name means, and the loss reason that it gives."""
    if target is None:
        return _IGNORED, None
    state, reason = target if isinstance(target, tuple) and len(target) == 2 else (target, None)
    if reason is not None:
        if state != LOST or not isinstance(reason, str) or not reason:
            raise DefinitionError(
                f"stage_map sends {name!r} to {target!r}; only ('lost', reason) has a second part"
            )
        if funnel.reasons_closed and not funnel.knows_reason(reason):
            known = ", ".join(known.key for known in funnel.loss_reasons)
            raise DefinitionError(
                f"stage_map gives {name!r} the loss reason {reason!r}; the funnel has {known}"
            )
    try:
        return funnel.index(state), reason
    except UnknownStateError:
        raise DefinitionError(
            f"stage_map sends {name!r} to {target!r}, which is no state of the funnel; it has "
            f"{', '.join(funnel.states)}"
        ) from None


def _are_codes(values: Sequence[Any] | NDArray[Any]) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "iu"
    return len(values) > 0 and all(type(value) is int for value in values)


def _from_codes(
    values: NDArray[np.integer[Any]], funnel: Funnel, rejects: Rejects, column: str
) -> States:
    n_states = len(funnel.states)
    outside = (values < 0) | (values >= n_states)
    expected = f"the code of a state: 0 to {n_states - 1}"
    rejects.add(outside, column, values, expected)
    codes = np.where(outside, 0, values).astype(np.uint8)
    none = np.full(len(values), NULL), list[str]()
    return States(codes, np.zeros(len(values), bool), none)


def _expected(funnel: Funnel) -> str:
    keys = list(funnel.states)
    listing = ", ".join(keys if len(keys) <= 14 else [*keys[:12], "…", *keys[-2:]])
    return f"a state of the funnel: {listing} (stage_map= says what other names mean)"
