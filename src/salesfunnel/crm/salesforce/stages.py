"""The stages of Salesforce (``OpportunityStage``) → a funnel, and what its names mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from salesfunnel.columns.rejects import settled
from salesfunnel.crm.cells import number, text, truth
from salesfunnel.crm.salesforce.responses import unpack
from salesfunnel.crm.sheet import Opener, Sheet
from salesfunnel.errors import DataError
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.reasons import LOSS_REASONS
from salesfunnel.model.stage import LOST, WON, Stage
from salesfunnel.wording import Wording

FORECAST_CATEGORIES: Mapping[str, str] = {
    "Omitted": "omitted",
    "Pipeline": "pipeline",
    "BestCase": "best_case",
    "Best Case": "best_case",
    # Between the best case and the commitment; what is not committed is the best case.
    "MostLikely": "best_case",
    "Most Likely": "best_case",
    "Forecast": "commit",
    "Commit": "commit",
    "Closed": "closed",
}
"""What Salesforce calls the categories, by its API and by its pages."""


class Value(NamedTuple):
    """One value of the field ``StageName``.

    Attributes
    ----------
    name : str
        What records have: the API name.
    label : str
        What pages show.
    state : str
        The state that it means: its own name where it is a stage, else ``won`` or ``lost``.
    active : bool
        Whether opportunities may still be given it.
    stage : Stage or None
        None where it is ``won`` or ``lost``.
    """

    name: str
    label: str
    state: str
    active: bool
    stage: Stage | None


def funnel(stages: Any, *, keep: Collection[str] = (), name: str = "Salesforce") -> Funnel:
    """Return the funnel of the records of ``OpportunityStage``.

    The stages are the open ones, in their ``SortOrder``, with their probability and forecast
    category; their keys are the API names, as ``Opportunity.StageName`` has them. Those that are
    closed are the states ``won`` and ``lost``.

    Parameters
    ----------
    stages : path, parsed JSON, list of pages, or dataframe
        Records with ``ApiName`` or ``MasterLabel``, ``SortOrder``, ``IsClosed``, ``IsWon``, and if
        possible ``IsActive``, ``DefaultProbability`` and ``ForecastCategory``.
    keep : collection of str
        Inactive stages to have nevertheless: the others are left out.
    name : str
        What people call the funnel.

    Raises
    ------
    DataError
        If a record is no stage; other errors are those of `load`.

    Examples
    --------
    >>> stages = [
    ...     {"ApiName": "Demo", "SortOrder": 1, "IsClosed": False, "DefaultProbability": 40},
    ...     {"ApiName": "Closed Won", "SortOrder": 2, "IsClosed": True, "IsWon": True},
    ... ]
    >>> funnel(stages).states
    ('Demo', 'won', 'lost')
    >>> funnel(stages)["Demo"].probability
    0.4
    """
    return to_funnel(read_stages(Opener(unpack).sheet(stages, "stages")), keep, name)


def to_funnel(
    values: Collection[Value], keep: Collection[str] = (), name: str = "Salesforce"
) -> Funnel:
    """Return the funnel of the stages that are active or kept."""
    wanted = [
        value.stage
        for value in values
        if value.stage is not None and (value.active or value.name in keep)
    ]
    return Funnel(wanted, LOSS_REASONS, name=name)


def read_stages(sheet: Sheet) -> list[Value]:
    """Return the values of ``StageName`` in their order.

    Raises
    ------
    DataError
        If a record is no stage, or two have one name.
    """
    title = sheet.needed("ApiName", "MasterLabel").title
    names = [
        name or label
        for name, label in zip(sheet.texts("ApiName"), sheet.texts("MasterLabel"), strict=True)
    ]
    sheet.leave_out_copies(names, title)
    sheet.needed("IsClosed")
    order = sheet.needed("SortOrder")
    found: list[tuple[float, Value]] = []
    for row in sheet.rows:
        place = number(order.cells[row])
        if place is None:
            sheet.reject(
                row, order.title, order.cells[row], Wording("a number: the place of the stage")
            )
            continue
        value = _value(sheet, row, names[row], title)
        if value is not None:
            found.append((place, value))
    settled(sheet.faults, "raise")
    if not found:
        raise DataError("stages: there is no stage in it")
    return [value for _, value in sorted(found, key=lambda pair: pair[0])]


def _value(sheet: Sheet, row: int, name: str | None, title: str) -> Value | None:
    def cell(field: str) -> Any:
        return sheet.cells(field)[row]

    closed, won = truth(cell("IsClosed")), truth(cell("IsWon"))
    probability = number(cell("DefaultProbability"))
    if name is None:
        sheet.reject(row, title, None, Wording("the name of a stage"))
    elif closed is None:
        sheet.reject(row, "IsClosed", cell("IsClosed"), Wording("true or false"))
    elif probability is not None and not 0 <= probability <= 100:
        sheet.reject(
            row, "DefaultProbability", cell("DefaultProbability"), Wording("a number from 0 to 100")
        )
    else:
        label = text(cell("MasterLabel")) or name
        active = truth(cell("IsActive")) is not False
        if closed:
            return Value(name, label, WON if won else LOST, active, None)
        category = text(cell("ForecastCategory")) or text(cell("ForecastCategoryName")) or ""
        stage = Stage(
            name,
            label,
            probability=None if probability is None else probability / 100,
            forecast_category=FORECAST_CATEGORIES.get(category),
        )
        return Value(name, label, name, active, stage)
    return None


def meanings(values: Collection[Value]) -> dict[str, str]:
    """Return the states that API names and labels mean; a label that two have means neither."""
    labels: dict[str, set[str]] = {}
    for value in values:
        labels.setdefault(value.label, set()).add(value.state)
    found = {label: next(iter(states)) for label, states in labels.items() if len(states) == 1}
    return {**found, **{value.name: value.state for value in values}}
