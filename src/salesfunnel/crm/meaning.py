"""What the names of stages and loss reasons in a CRM mean in a funnel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salesfunnel.crm.cells import text
from salesfunnel.errors import DefinitionError
from salesfunnel.log.naming import names_of_states
from salesfunnel.log.states import StageMap
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import LOST, WON

CLOSED: Mapping[str, str] = {
    **dict.fromkeys(("Closed Won", "Won", "赢单", "已赢单", "成交", "已成交", "赢得", "成功"), WON),
    **dict.fromkeys(
        ("Closed Lost", "Lost", "丢单", "已丢单", "输单", "已输单", "战败", "流失", "失败"), LOST
    ),
}
"""What CRMs call a won and a lost opportunity when they come from the factory."""


class Meaning:
    """What the names of stages mean.

    Parameters
    ----------
    funnel : Funnel
    known : mapping of str to (str or None)
        What the CRM itself says: the states of its names of stages, None for those that are no
        entries.
    stage_map : mapping, optional
        What the user says, which stands above everything else.

    Attributes
    ----------
    funnel : Funnel
    stage_map : mapping of (str or None) to target
        Every name that is known, the keys of the funnel apart.
    """

    def __init__(
        self,
        funnel: Funnel,
        known: Mapping[str, str | None],
        stage_map: StageMap | None = None,
    ) -> None:
        if not isinstance(funnel, Funnel):
            raise DefinitionError("a log needs a Funnel, not {funnel!r}", funnel=funnel)
        if stage_map is not None and not isinstance(stage_map, Mapping):
            raise DefinitionError(
                "stage_map= maps names to states, not {stage_map!r}", stage_map=stage_map
            )
        own = set(funnel.states)
        self.funnel = funnel
        self.stage_map: dict[Any, Any] = {
            **{name: state for name, state in CLOSED.items() if name not in own},
            **names_of_states(funnel),
            **{
                name: state
                for name, state in known.items()
                if name not in own and (state is None or state in own)
            },
            **{text(name): target for name, target in (stage_map or {}).items()},
        }

    def state(self, name: str | None) -> str | None:
        """Return the key of the state that a name means, None if it means none."""
        target = self.stage_map.get(name, name)
        if isinstance(target, tuple):
            target = target[0] if target else None
        return target if isinstance(target, str) and target in self.funnel.states else None

    def is_entry(self, name: str | None) -> bool:
        """Return whether a name is known, and not as one that is no entry."""
        return self.state(name) is not None

    def is_known(self, name: str | None) -> bool:
        """Return whether a name means a state, or is known to mean none."""
        return name in self.stage_map or self.state(name) is not None

    def is_closed(self, name: str | None) -> bool:
        """Return whether a name means that an opportunity is won or lost."""
        state = self.state(name)
        return state is not None and self.funnel.index(state) >= self.funnel.n_presale


def names_of_reasons(funnel: Funnel) -> dict[str, str]:
    """Return the keys of loss reasons by their names in every language.

    A name that two of them have means neither, and one that is a key means that key.
    """
    keys = {reason.key for reason in funnel.loss_reasons}
    found: dict[str, set[str]] = {}
    for reason in funnel.loss_reasons:
        for name in {reason.name, *reason.names.values()} - keys:
            found.setdefault(name, set()).add(reason.key)
    return {name: next(iter(owners)) for name, owners in found.items() if len(owners) == 1}


def named_attributes(
    attributes: Iterable[str] | Mapping[str, str], taken: Iterable[str]
) -> dict[str, str]:
    """Return the fields of more attributes by the names of these.

    Raises
    ------
    DefinitionError
        If a name is taken by an attribute that is kept over time.
    """
    if isinstance(attributes, str):
        attributes = (attributes,)
    named = (
        dict(attributes) if isinstance(attributes, Mapping) else {name: name for name in attributes}
    )
    if not all(isinstance(name, str) and isinstance(field, str) for name, field in named.items()):
        raise DefinitionError(
            "attributes= are names of fields, not {attributes!r}", attributes=attributes
        )
    for name in taken:
        if name in named:
            raise DefinitionError(
                "the attribute {name!r} is there already, with what was known at each entry: give "
                "the field {field!r} another name",
                name=name,
                field=named[name],
            )
    return named
