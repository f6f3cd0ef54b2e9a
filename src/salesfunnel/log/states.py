"""Names of stages in data → codes of states, by way of the stage map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.rejects import Rejects
from salesfunnel.columns.texts import Texts
from salesfunnel.columns.values import distinct_values
from salesfunnel.errors import DefinitionError, UnknownStateError
from salesfunnel.kernel.codes import NULL
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.missing import is_missing
from salesfunnel.model.stage import LOST
from salesfunnel.wording import Listed, Wording

StageMap = Mapping[Any, str | tuple[str, str] | None]
"""What a name in data means: a state's key, ``("lost", reason)``, or None for no entry.

A blank name or None means the rows that have none."""

_IGNORED, _UNKNOWN = 254, 255


class States(NamedTuple):
    """The states of rows.

    Attributes
    ----------
    codes : (N,) uint8
        Codes of states; of no meaning in rows that are rejected or ignored.
    ignored : (N,) bool or None
        Rows that the stage map says are no entries; None where it says so of none.
    reasons : tuple or None
        Codes (N,) and names of the loss reasons that the stage map gives, -1 where it gives none;
        None where it gives none at all.
    """

    codes: NDArray[np.uint8]
    ignored: NDArray[np.bool_] | None
    reasons: tuple[NDArray[np.int64], list[str]] | None


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
    meaning = {
        _name(name): _meaning(name, target, funnel) for name, target in (stage_map or {}).items()
    }
    if not meaning and _are_codes(values):
        return _from_codes(np.asarray(values), funnel, rejects, column)

    index, found = distinct_values(values)
    names = [_name(name) for name in found.tolist()]
    reason_names = sorted({reason for _, reason in meaning.values() if reason})
    states = np.full(len(names) + 1, _UNKNOWN, np.uint8)
    reasons = np.full(len(names) + 1, NULL)
    for code, name in [*enumerate(names), (NULL, None)]:
        if name in meaning:
            states[code], reason = meaning[name]
            reasons[code] = reason_names.index(reason) if reason else NULL
        elif isinstance(name, str) and name in funnel.states:
            states[code] = funnel.index(name)
    codes = states[index]
    ignored = (codes == _IGNORED) & ~rejects.bad
    rejects.leave_out(ignored)
    unknown = codes == _UNKNOWN
    rejects.add(unknown & (index == NULL), column, values, Wording("a stage; there is none"))
    rejects.add(unknown, column, values, _expected(funnel))
    return States(codes, ignored, (reasons[index], reason_names) if reason_names else None)


def _name(value: Any) -> Any:
    """Return what a stage is called, without blanks at its ends; None where it is missing."""
    if is_missing(value):
        return None
    return value.strip() if isinstance(value, str) else value


def _meaning(name: Any, target: Any, funnel: Funnel) -> tuple[int, str | None]:
    """Return the code of the state that a name means, and the loss reason that it gives."""
    if target is None:
        return _IGNORED, None
    state, reason = target if isinstance(target, tuple) and len(target) == 2 else (target, None)
    if reason is not None:
        if state != LOST or not isinstance(reason, str) or not reason:
            raise DefinitionError(
                "stage_map sends {name!r} to {target!r}; only ('lost', reason) has a second part",
                name=name,
                target=target,
            )
        if funnel.reasons_closed and not funnel.knows_reason(reason):
            known = Listed(known.key for known in funnel.loss_reasons)
            raise DefinitionError(
                "stage_map gives {name!r} the loss reason {reason!r}; the funnel has {known}",
                name=name,
                reason=reason,
                known=known,
            )
    try:
        return funnel.index(state), reason
    except UnknownStateError:
        raise DefinitionError(
            "stage_map sends {name!r} to {target!r}, which is no state of the funnel; it has "
            "{states}",
            name=name,
            target=target,
            states=Listed(funnel.states),
        ) from None


def _are_codes(values: Sequence[Any] | NDArray[Any]) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "iu"
    if isinstance(values, Texts):
        return False
    return len(values) > 0 and all(type(value) is int for value in values)


def _from_codes(
    values: NDArray[np.integer[Any]], funnel: Funnel, rejects: Rejects, column: str
) -> States:
    n_states = len(funnel.states)
    if len(values) and (values.min() < 0 or values.max() >= n_states):
        outside = (values < 0) | (values >= n_states)
        rejects.add(
            outside, column, values, Wording("the code of a state: 0 to {last}", last=n_states - 1)
        )
        values = np.where(outside, 0, values)
    return States(values.astype(np.uint8, copy=False), None, None)


def _expected(funnel: Funnel) -> Wording:
    keys = list(funnel.states)
    listing = Listed(keys if len(keys) <= 14 else [*keys[:12], "…", *keys[-2:]])
    return Wording(
        "a state of the funnel: {listing} (stage_map= says what other names mean)", listing=listing
    )
