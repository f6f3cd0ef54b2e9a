"""Which pipeline: that of each deal, and the one to load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from salesfunnel.crm.cells import fold, text
from salesfunnel.crm.hubspot.deals import Deals
from salesfunnel.crm.hubspot.pipelines import Pipeline
from salesfunnel.crm.sheet import Sheet
from salesfunnel.errors import DefinitionError
from salesfunnel.model.missing import is_missing
from salesfunnel.wording import Listed, Wording


def meanings_of(pipelines: Iterable[Pipeline]) -> dict[str, str]:
    """Return the states that the names of stages mean in any pipeline."""
    return {name: state for member in pipelines for name, state in member.meanings().items()}


def pipelines_of(deals: Deals, pipelines: Sequence[Pipeline]) -> list[str | None]:
    """Return the pipeline of each deal: as it says, by its stage, or the only one there is."""
    known = {name: member.id for member in pipelines for name in (member.label, member.id)}
    owners: dict[str, set[str]] = {}
    for member in pipelines:
        for name in member.meanings():
            owners.setdefault(name, set()).add(member.id)
    by_stage = {name: next(iter(keys)) for name, keys in owners.items() if len(keys) == 1}
    only = pipelines[0].id if len(pipelines) == 1 else None
    return [
        by_stage.get(stage or "", only) if said is None else known.get(said)
        for said, stage in zip(deals.pipelines, deals.stages, strict=True)
    ]


def choose(deals: Deals, pipelines: Sequence[Pipeline], wanted: str | None) -> Pipeline:
    """Return the pipeline that was asked for, or the one that all deals are in.

    Raises
    ------
    DefinitionError
        If there is no such pipeline, or deals are of several.
    """
    names = Listed(f"{member.id!r} ({member.label})" for member in pipelines)
    if wanted is not None:
        for member in pipelines:
            if wanted in (member.id, member.label):
                return member
        raise DefinitionError(
            "there is no pipeline {wanted!r}; there are {names}", wanted=wanted, names=names
        )
    present = {key for key in pipelines_of(deals, pipelines) if key is not None}
    found = [member for member in pipelines if member.id in present]
    if len(found) > 1 or (not found and len(pipelines) > 1):
        names = Listed(f"{member.id!r} ({member.label})" for member in found or pipelines)
        which = Wording("of several pipelines" if found else "of a pipeline that they do not name")
        raise DefinitionError(
            "the deals are {which}: name one by pipeline=, or load all by load_by_pipeline; there "
            "are {names}",
            which=which,
            names=names,
        )
    return (found or pipelines)[0]


def leave_out_others(deals: Deals, pipelines: Sequence[Pipeline], chosen: Pipeline) -> None:
    """Ignore the deals of other pipelines, and reject those of none that is known."""
    title = deals.title("pipeline")
    known = Listed(f"{member.id!r} ({member.label})" for member in pipelines)
    for row, key in enumerate(pipelines_of(deals, pipelines)):
        if key is None:
            deals.sheet.reject(
                row, title, deals.pipelines[row], Wording("a pipeline: {known}", known=known)
            )
        elif key != chosen.id:
            deals.sheet.ignore(row)
    deals.settle()


def stages_met(deals: Deals, history: Sheet, chosen: Pipeline) -> set[str]:
    """Return the stages of a pipeline that deals are or ever were in."""
    met = {*deals.stages, *history.texts("value", "Property Value", "dealstage")}
    for values in deals.sheet.cells("propertiesWithHistory.dealstage"):
        for item in values if isinstance(values, list) else ():
            if isinstance(item, dict):
                met.add(text(item.get("value")))
    for found in deals.entered():
        if not all(map(is_missing, found.at)):
            met.add(found.stage)
    folded = {fold(name) for name in met if name is not None}
    return {stage.id for stage in chosen.stages if fold(stage.id) in folded}


def labels_of(deals: Deals, pipelines: Sequence[Pipeline]) -> list[str | None]:
    """Return the name of each deal's pipeline, or what the deal says of it."""
    labels = {member.id: member.label for member in pipelines}
    return [
        said if key is None else labels[key]
        for said, key in zip(deals.pipelines, pipelines_of(deals, pipelines), strict=True)
    ]
