"""Pipelines of HubSpot → funnels, and what their stages are called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from salesfunnel.columns.jsonl import records_table
from salesfunnel.columns.rejects import settled
from salesfunnel.crm.cells import fold, number, text, truth
from salesfunnel.crm.hubspot.responses import unpack
from salesfunnel.crm.sheet import Opener, Sheet
from salesfunnel.errors import DataError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.reasons import LOSS_REASONS
from salesfunnel.model.stage import LOST, WON, Stage
from salesfunnel.wording import Wording


class PipelineStage(NamedTuple):
    """A stage of a pipeline.

    Attributes
    ----------
    id, label : str
        What deals have, and what people see.
    state : str
        The state that it means: its own identifier where it is a stage, else ``won`` or ``lost``.
    archived : bool
    stage : Stage or None
        None where it is ``won`` or ``lost``.
    """

    id: str
    label: str
    state: str
    archived: bool
    stage: Stage | None


class Pipeline(NamedTuple):
    """A pipeline: its identifier, its name, and its stages in their order."""

    id: str
    label: str
    stages: tuple[PipelineStage, ...]

    def open_stages(self, keep: Collection[str] = ()) -> list[Stage]:
        """Return the stages that are open, and not archived or kept."""
        return [
            member.stage
            for member in self.stages
            if member.stage is not None and (not member.archived or member.id in keep)
        ]

    def funnel(self, keep: Collection[str] = ()) -> Funnel:
        """Return the funnel of the open stages.

        Raises
        ------
        DataError
            If there is none.
        """
        wanted = self.open_stages(keep)
        if not wanted:
            raise DataError(
                "pipelines: {pipeline!r} has no stage that is open", pipeline=self.label
            )
        return Funnel(wanted, LOSS_REASONS, name=self.label)

    def meanings(self) -> dict[str, str]:
        """Return the states that identifiers and labels mean.

        An export writes a label also with the name of its pipeline, as in ``Demo (Sales)``. A label
        that two stages have means neither.
        """
        labels: dict[str, set[str]] = {}
        for member in self.stages:
            for label in (member.label, f"{member.label} ({self.label})"):
                labels.setdefault(label, set()).add(member.state)
        found = {label: next(iter(states)) for label, states in labels.items() if len(states) == 1}
        return {**found, **{member.id: member.state for member in self.stages}}


def funnels(pipelines: Any) -> dict[str, Funnel]:
    """Return the funnel of each pipeline, by the pipeline's identifier.

    The stages are the open ones, in their ``displayOrder``, with their probability; their keys are
    the identifiers that ``dealstage`` has. A closed one is the state ``won`` if its probability is
    1, else ``lost``; where nothing says whether a stage is closed, those of 1 and 0 are. Archived
    stages, and pipelines without any other, are left out.

    Parameters
    ----------
    pipelines : path, parsed JSON, list of pages, or dataframe
        Pipelines with their ``stages``, as ``GET /crm/v3/pipelines/deals`` gives them; or a row for
        each stage with its identifier, its pipeline, label, display order and probability.

    Raises
    ------
    DataError
        If something in it is no stage; other errors are those of `load`.

    Examples
    --------
    >>> def stage(key, place, probability):
    ...     metadata = {"probability": probability}
    ...     return {"id": key, "label": key, "displayOrder": place, "metadata": metadata}
    >>> stages = [stage("closedwon", 2, "1.0"), stage("demo", 1, "0.4"), stage("lost", 3, "0.0")]
    >>> funnels([{"id": "default", "label": "Sales", "stages": stages}])["default"].states
    ('demo', 'won', 'lost')
    """
    found = read_pipelines(Opener(unpack).sheet(pipelines, "pipelines"))
    return {pipeline.id: pipeline.funnel() for pipeline in found if pipeline.open_stages()}


def read_pipelines(sheet: Sheet) -> list[Pipeline]:
    """Return the pipelines of a response, or of a table of stages.

    Raises
    ------
    DataError
        If something is no pipeline or no stage.
    """
    if sheet.field("stages") is not None:
        return list(_nested(sheet))
    identifier = sheet.needed("stage_id", "id", "Stage ID")
    pipeline = sheet.field("pipeline_id", "pipelineId", "Pipeline ID")
    keys = sheet.texts(pipeline.title) if pipeline is not None else ["default"] * len(sheet)
    labels = sheet.texts("pipeline_label", "Pipeline")
    ids = sheet.identifiers(identifier)
    sheet.leave_out_copies(ids, identifier.title)
    by_key: dict[str, list[int]] = {}
    for row in sheet.rows:
        by_key.setdefault(keys[row] or "default", []).append(row)
    found = [
        Pipeline(key, labels[rows[0]] or key, _stages(sheet, rows, ids))
        for key, rows in by_key.items()
    ]
    settled(sheet.faults, "raise")
    return _checked(found)


def _nested(sheet: Sheet) -> Iterator[Pipeline]:
    identifier = sheet.needed("id")
    ids = sheet.identifiers(identifier)
    sheet.leave_out_copies(ids, identifier.title)
    labels, members = sheet.texts("label"), sheet.cells("stages")
    found = []
    for row in sheet.rows:
        if not isinstance(members[row], list):
            sheet.reject(row, "stages", members[row], Wording("a list of stages"))
            continue
        name = f"pipelines[{sheet.table.numbers[row]}].stages"
        inner = Sheet(name, records_table(members[row], name))
        if not len(inner):
            sheet.reject(row, "stages", members[row], Wording("a list of stages"))
            continue
        stage_ids = inner.identifiers(inner.needed("id"))
        inner.leave_out_copies(stage_ids, "id")
        stages = _stages(inner, inner.rows, stage_ids)
        sheet.faults += inner.faults
        key = ids[row]
        assert key is not None  # or the row is rejected
        found.append(Pipeline(key, labels[row] or key, stages))
    settled(sheet.faults, "raise")
    yield from _checked(found)


def _checked(found: list[Pipeline]) -> list[Pipeline]:
    if not found:
        raise DataError("pipelines: there is no pipeline in it")
    return found


def _stages(
    sheet: Sheet, rows: Sequence[int], ids: Sequence[str | None]
) -> tuple[PipelineStage, ...]:
    """Return the stages in some rows, in their order."""
    order = sheet.needed("displayOrder", "display_order")
    found: list[tuple[float, PipelineStage]] = []
    for row in rows:
        place = number(order.cells[row])
        if place is None:
            sheet.reject(
                row, order.title, order.cells[row], Wording("a number: the place of the stage")
            )
        elif not sheet.is_out(row) and (stage := _stage(sheet, row, ids[row] or "")):
            found.append((place, stage))
    return tuple(stage for _, stage in sorted(found, key=lambda pair: pair[0]))


def _stage(sheet: Sheet, row: int, key: str) -> PipelineStage | None:
    field = sheet.field("metadata.probability", "probability")
    given = None if field is None else field.cells[row]
    chance = number(given)
    if chance is None or not 0 <= chance <= 1:
        sheet.reject(
            row,
            "probability" if field is None else field.title,
            given,
            Wording("a number from 0 to 1"),
        )
        return None
    closed = truth(sheet.cells("metadata.isClosed", "is_closed")[row])
    label = text(sheet.cells("label")[row]) or key
    archived = (
        truth(sheet.cells("archived", "_fivetran_deleted")[row]) is True
        or truth(sheet.cells("active")[row]) is False
    )
    if closed is None:
        closed = chance in (0, 1)
    if closed:
        return PipelineStage(key, label, WON if chance == 1 else LOST, archived, None)
    return PipelineStage(key, label, key, archived, Stage(key, label, probability=chance))


def stage_of_property(names: Mapping[str, str], suffix: str) -> str:
    """Return the stage that a property such as ``hs_v2_date_entered_closedwon`` is about.

    Parameters
    ----------
    names : mapping of str to str
        Stages by their folded names.
    suffix : str
        The end of the property's name, in which signs are underscores, and to which HubSpot adds a
        number where the identifier is none.
    """
    folded = fold(suffix)
    if folded in names:
        return names[folded]
    return names.get(fold(suffix.rpartition("_")[0]), suffix)
