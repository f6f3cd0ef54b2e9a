"""A funnel: ordered stages, the two sinks, and the reasons for losing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from salesfunnel.errors import (
    DefinitionError,
    DuplicateKeyError,
    UnknownReasonError,
    UnknownStateError,
)
from salesfunnel.model.stage import LOST, WON, LossReason, Stage
from salesfunnel.model.validation import from_list, from_mapping, is_flag, is_text
from salesfunnel.text.catalogue import default_language, resolve
from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from salesfunnel.text.markup import Html

MAX_STAGES = 250
"""A state's code fits in one byte, with room for the sinks and for sentinels."""

Part = TypeVar("Part", Stage, LossReason)


def _parts(parts: Iterable[Part | str], cls: type[Part], what: str) -> tuple[Part, ...]:
    if isinstance(parts, str) or not isinstance(parts, Iterable):
        raise DefinitionError(
            "{what} are a sequence of {kind}, not {parts!r}",
            what=what,
            kind=cls.__name__,
            parts=parts,
        )
    members = tuple(cls(part) if isinstance(part, str) else part for part in parts)
    seen: set[str] = set()
    for member in members:
        if not isinstance(member, cls):
            raise DefinitionError(
                "{what} are a sequence of {kind}, not of {member!r}",
                what=what,
                kind=cls.__name__,
                member=member,
            )
        if member.key in seen:
            raise DuplicateKeyError(
                "the key {key!r} stands twice in the {what} of one funnel",
                key=member.key,
                what=what,
            )
        seen.add(member.key)
    return members


def _to_stages(stages: Iterable[Stage | str]) -> tuple[Stage, ...]:
    members = _parts(stages, Stage, Wording("stages"))
    if not members:
        raise DefinitionError("a funnel has at least one stage; none was given")
    if len(members) > MAX_STAGES:
        raise DefinitionError(
            "a funnel has at most {limit} stages, not {n}", limit=MAX_STAGES, n=len(members)
        )
    if members[0].post_sale:
        raise DefinitionError(
            "a funnel has at least one stage before the sale: {key!r}, the first, is post-sale",
            key=members[0].key,
        )
    for before, after in pairwise(members):
        if before.post_sale and not after.post_sale:
            raise DefinitionError(
                "post-sale stages come last: {after!r} follows {before!r} but is not post-sale",
                after=after.key,
                before=before.key,
            )
    return members


def _to_reasons(reasons: Iterable[LossReason | str]) -> tuple[LossReason, ...]:
    return _parts(reasons, LossReason, Wording("loss reasons"))


@attrs.frozen(slots=False)
class Funnel:
    """Ordered stages, followed by the sinks ``won`` and ``lost``.

    The states of a funnel of K stages are numbered: 0 … K-1 the stages in order, then K ``won`` and
    K+1 ``lost``.

    Parameters
    ----------
    stages : sequence of Stage or str
        At least one, at most 250, with distinct keys; post-sale stages at the end. A text stands
        for a stage with that key.
    loss_reasons : sequence of LossReason or str
        The reasons that the engine accepts for a loss.
    name : str, optional
        What people call the funnel.
    reasons_closed : bool
        Whether a loss reason in data that is not in the list is an error (``True``) or a fact.

    Raises
    ------
    DefinitionError
        If there is no stage, there are too many, or post-sale stages are not the last ones.
    DuplicateKeyError
        If two stages, or two loss reasons, have one key.

    Examples
    --------
    >>> funnel = Funnel(["lead", "demo", "offer"], ["price"])
    >>> funnel.states
    ('lead', 'demo', 'offer', 'won', 'lost')
    >>> funnel.insert(Stage("trial", max_age="30d"), after="demo").states
    ('lead', 'demo', 'trial', 'offer', 'won', 'lost')
    """

    stages: tuple[Stage, ...] = attrs.field(converter=_to_stages)
    loss_reasons: tuple[LossReason, ...] = attrs.field(default=(), converter=_to_reasons)
    name: str | None = attrs.field(default=None, kw_only=True, validator=is_text)
    reasons_closed: bool = attrs.field(default=False, kw_only=True, validator=is_flag)
    states: tuple[str, ...] = attrs.field(init=False, eq=False, repr=False)
    _codes: dict[str, int] = attrs.field(init=False, eq=False, repr=False)
    _reasons: dict[str, LossReason] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        states = (*(stage.key for stage in self.stages), WON, LOST)
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "_codes", {key: code for code, key in enumerate(states)})
        object.__setattr__(self, "_reasons", {reason.key: reason for reason in self.loss_reasons})

    # ── looking things up ─────────────────────────────────────────────────────────────────────────

    def __len__(self) -> int:
        return len(self.stages)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.stages)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, Stage):
            return key in self.stages
        return isinstance(key, str) and self._codes.get(key, len(self)) < len(self)

    def __getitem__(self, key: str) -> Stage:
        code = self.index(key)
        if code >= len(self):
            raise UnknownStateError(
                "{key!r} is a sink of the funnel, not a stage with properties", key=key
            )
        return self.stages[code]

    def index(self, state: str) -> int:
        """Return the number of a state: 0 … K-1 for the stages, K for ``won``, K+1 for ``lost``.

        Raises
        ------
        UnknownStateError
            If the funnel has no such state.
        """
        try:
            return self._codes[state]
        except (KeyError, TypeError):
            raise UnknownStateError(
                "no state {state!r} in this funnel; it has {states}",
                state=state,
                states=Listed(self.states),
            ) from None

    def reason(self, key: str) -> LossReason:
        """Return the loss reason with a key.

        Raises
        ------
        UnknownReasonError
            If the funnel has no such reason.
        """
        try:
            return self._reasons[key]
        except (KeyError, TypeError):
            known = Listed(self._reasons) or Wording("none")
            raise UnknownReasonError(
                "no loss reason {key!r} in this funnel; it has {known}", key=key, known=known
            ) from None

    def knows_reason(self, key: str) -> bool:
        """Return whether a loss reason with this key is in the funnel's list."""
        return isinstance(key, str) and key in self._reasons

    @property
    def won(self) -> int:
        """The number of the state ``won``: K."""
        return len(self.stages)

    @property
    def lost(self) -> int:
        """The number of the state ``lost``: K + 1."""
        return len(self.stages) + 1

    @property
    def n_presale(self) -> int:
        """How many stages come before the sale; these are the stages 0 … n_presale - 1."""
        return sum(not stage.post_sale for stage in self.stages)

    # ── adapting, by value ────────────────────────────────────────────────────────────────────────

    def insert(
        self, stage: Stage | str, *, before: str | None = None, after: str | None = None
    ) -> Funnel:
        """Return the funnel with one more stage, before or after another: one of them is given."""
        if (before is None) == (after is None):
            raise DefinitionError("insert needs a place: before= or after= one stage")
        if before is not None:
            place = self.index(self[before].key)
        else:
            assert after is not None
            place = self.index(self[after].key) + 1
        new = Stage(stage) if isinstance(stage, str) else stage
        return attrs.evolve(self, stages=(*self.stages[:place], new, *self.stages[place:]))

    def drop(self, key: str) -> Funnel:
        """Return the funnel without a stage."""
        dropped = self[key]
        return attrs.evolve(self, stages=tuple(s for s in self.stages if s is not dropped))

    def replace(self, key: str, /, stage: Stage | None = None, **changes: Any) -> Funnel:
        """Return the funnel with a stage replaced by another, or with some of its values changed.

        >>> Funnel(["lead", "demo"]).replace("demo", probability=0.4)["demo"].probability
        0.4
        """
        old = self[key]
        if (stage is None) == (not changes):
            raise DefinitionError("replace takes either a new stage or the values to change")
        unknown = [name for name in changes if name not in attrs.fields_dict(Stage)]
        if unknown:
            raise DefinitionError(
                "a stage has no field {unknown}", unknown=Listed(map(repr, unknown))
            )
        new = attrs.evolve(old, **changes) if stage is None else stage
        return attrs.evolve(self, stages=tuple(new if s is old else s for s in self.stages))

    def rename(self, key: str, name: str | None = None, **names: str) -> Funnel:
        """Return the funnel with a stage called otherwise, by people: its key stays.

        Where the plain name is also the stage's name in some language, both change.

        >>> Funnel(["lead", "demo"]).rename("demo", "Show it", zh="演示")["demo"].label("zh")
        '演示'
        """
        stage = self[key]
        name = name or stage.name
        kept = {lang: name if text == stage.name else text for lang, text in stage.names.items()}
        return self.replace(key, name=name, names={**kept, **names})

    # ── for people ────────────────────────────────────────────────────────────────────────────────

    def to_html(self, lang: str | None = None) -> Html:
        """Return the funnel as a fragment of HTML, in English by default; all of it is escaped."""
        from salesfunnel.model.markup import funnel_html

        return funnel_html(self, resolve(lang or default_language()))

    def _repr_html_(self) -> str:
        return self.to_html()

    # ── plain data ────────────────────────────────────────────────────────────────────────────────

    def to_dict(self) -> dict[str, Any]:
        """Return the funnel as plain data, ready for JSON."""
        data: dict[str, Any] = {
            "stages": [stage.to_dict() for stage in self.stages],
            "loss_reasons": [reason.to_dict() for reason in self.loss_reasons],
        }
        if self.name is not None:
            data["name"] = self.name
        if self.reasons_closed:
            data["reasons_closed"] = True
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Funnel:
        """Return the funnel that `to_dict` described.

        Raises
        ------
        DefinitionError
            If the data is not of that form.
        """
        values = from_mapping(data, cls, Wording("a funnel"))
        values["stages"] = from_list(
            values["stages"], Stage.from_dict, Wording("the stages of a funnel")
        )
        values["loss_reasons"] = from_list(
            values.get("loss_reasons", ()),
            LossReason.from_dict,
            Wording("the loss reasons of a funnel"),
        )
        return cls(**values)

    @classmethod
    def standard(cls) -> Funnel:
        """Return the standard funnel: seven stages from lead identification to after-sales service.

        It has names in English and Chinese, a taxonomy of loss reasons, and as the targets of its
        stages the published rates of the reference table.
        """
        return cls.preset("standard")

    @classmethod
    def preset(cls, name: str) -> Funnel:
        """Return a ready-made funnel by its name; `salesfunnel.model.presets` describes them.

        Parameters
        ----------
        name : {"standard", "salesforce", "hubspot", "saas", "tender", "car_dealer"}
            The standard funnel, the default pipeline of a CRM, or the way an industry sells.

        Raises
        ------
        DefinitionError
            If there is no preset of that name.
        """
        from salesfunnel.model.presets import PRESETS

        if name not in PRESETS:
            raise DefinitionError(
                "no preset {name!r}; there are {known}", name=name, known=Listed(PRESETS)
            )
        return PRESETS[name]()
