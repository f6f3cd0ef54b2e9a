"""Loading a log from HubSpot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.crm.draft import Draft, Options
from salesfunnel.crm.hubspot.choosing import (
    choose,
    labels_of,
    leave_out_others,
    meanings_of,
    pipelines_of,
    stages_met,
)
from salesfunnel.crm.hubspot.deals import Deals
from salesfunnel.crm.hubspot.history import OWN_LABELS, History
from salesfunnel.crm.hubspot.pipelines import Pipeline, read_pipelines
from salesfunnel.crm.hubspot.responses import MEMBER, property_names, unpack
from salesfunnel.crm.meaning import Meaning, named_attributes
from salesfunnel.crm.related import Related
from salesfunnel.crm.sheet import Opener
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import StageMap
from salesfunnel.model.funnel import Funnel

Source = Any
"""A parsed JSON response, a list of pages, a path (JSON or CSV), or a dataframe."""
_DELETED = ("archived", "is_deleted", "_fivetran_deleted")


def load(
    *,
    deals: Source = None,
    pipelines: Source = None,
    history: Source = None,
    owners: Source = None,
    companies: Source = None,
    contacts: Source = None,
    pipeline: str | None = None,
    loss_reason: str | None = "closed_lost_reason",
    attributes: Iterable[str] | Mapping[str, str] = (),
    funnel: Funnel | None = None,
    entered_at: str | None = None,
    deleted: bool = True,
    partial: bool = False,
    stage_map: StageMap | None = None,
    order: str | None = None,
    ties: str = "input",
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    missing_time: datetime | date | str | None = None,
    date_format: str | None = None,
    tz: str | tzinfo | None = None,
    errors: str = "raise",
    max_bytes: int = MAX_BYTES,
    max_line: int = MAX_LINE,
    progress: Progress | None = None,
) -> StageLog:
    """Return the log of the deals of one pipeline of HubSpot.

    Each source is a parsed JSON response of the CRM API v3, a list of its pages, a path (JSON, JSON
    Lines or CSV, compressed or not), a list of paths, or a dataframe.

    The history of a deal is ``propertiesWithHistory.dealstage``, or that in `history`. Without one,
    the times in ``hs_v2_date_entered_…`` tell when it entered each stage (the last time it did),
    and those in the older ``hs_date_entered_…`` where the newer have none. A deal with neither has
    the one entry that is certain: open, its stage at ``createdate``; closed, its close at
    ``closedate``. No time is ever taken from a property that says when a record was modified or
    synchronised, unless `entered_at` names it.

    Owner, amount and the date of the expected close are those of each entry where the histories of
    ``hubspot_owner_id``, ``amount`` and ``closedate`` are there, and else those of the record.

    Parameters
    ----------
    deals : source, optional
        Deals with their properties: dealstage, pipeline, createdate, closedate, amount,
        hubspot_owner_id and what else there is. Exports with the titles of the pages (Record ID,
        Deal Stage, Date entered "…") are read too.
    pipelines : source, optional
        Pipelines with their stages, or a row for each stage: see `funnels` in this module.
    history : source, optional
        Histories in a table of their own: deal_id, value, and date_entered or timestamp; with the
        column name or property, other properties than dealstage too.
    owners, companies, contacts : source, optional
        Records with identifiers and names, where the deals lack the names.
    pipeline : str, optional
        The identifier or name of the pipeline to load; needed where deals are of several. Deals of
        others are ignored, and so are stages of others in a history.
    loss_reason : str or None
        The property with the reason of a loss. Names of the funnel's reasons, in any language,
        become their keys.
    attributes : sequence of str, or mapping of str to str
        More labels to group by, beyond owner, customer, contact, source, type, pipeline and
        expected_close: properties of the deal, or of what it refers to, as in
        ``{"industry": "company.industry"}``.
    funnel : Funnel, optional
        Instead of that of a pipeline. All deals are then loaded into it, whatever their pipeline.
    entered_at : str, optional
        The column of `history` with the time of entry.
    deleted : bool
        Whether archived deals count; otherwise they are ignored.
    partial : bool
        Whether pages may be missing.
    order : str, optional
        The column of `history` with a record number that settles equal times.
    currency : str, optional
        Currency of the amounts whose deal has no deal_currency_code.
    stage_map, ties, rates, missing_time, date_format, tz, errors
        As in `StageLog.from_columns`. The stage map stands above what `pipelines` say.
    max_bytes, max_line : int
        What a compressed file may hold, and a line or a record may have, at most.
    progress : Progress, optional
        Called as ``progress(done, total, "read")`` while files are read, one after another, as in
        `read_csv`.

    Returns
    -------
    StageLog
        In `rejected` the row is that of the source, and the column begins with the name of the
        argument.

    Raises
    ------
    IncompletePagesError
        If pages are missing and not `partial`.
    MissingColumnError, EncodingError, TruncatedFileError, EmptyFileError, FileLimitError
        If a source as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError
        As in `StageLog.from_columns`. It is an error too if a deal is in another stage than where
        its history ends, since the entry between is missing.
    DefinitionError
        If there is neither `pipelines` nor `funnel`, nothing to load, or deals of several pipelines
        and no `pipeline`.
    OSError
        If there is no such file.

    Examples
    --------
    >>> pipelines = {
    ...     "results": [
    ...         {
    ...             "id": "default",
    ...             "label": "Sales",
    ...             "stages": [
    ...                 {"id": "demo", "displayOrder": 0, "metadata": {"probability": "0.4"}},
    ...                 {"id": "closedwon", "displayOrder": 1, "metadata": {"probability": "1.0"}},
    ...             ],
    ...         }
    ...     ]
    ... }
    >>> history = [
    ...     {"value": "closedwon", "timestamp": "2026-02-01T02:00:00Z"},
    ...     {"value": "demo", "timestamp": "2026-01-05T02:00:00Z"},
    ... ]
    >>> deal = {"id": "1", "propertiesWithHistory": {"dealstage": history}}
    >>> load(deals={"results": [deal]}, pipelines=pipelines)
    StageLog(2 entries of 1 opportunities, 1 stages, as of 2026-02-01 02:00:00+00:00)
    """
    if deals is None and history is None:
        raise DefinitionError("nothing to load: give deals=, or history=")
    limits = Limits(max_bytes, max_line)
    opener = Opener(unpack, MEMBER, partial, limits, () if deleted else _DELETED, progress)
    related = {
        name: Related(opener.sheet(source, argument), (*keys, *property_names("hs_object_id")))
        for name, argument, source, keys in (
            ("company", "companies", companies, ("id", "company_id", "Record ID")),
            ("contact", "contacts", contacts, ("id", "contact_id", "Record ID")),
            ("owner", "owners", owners, ("id", "owner_id")),
        )
        if source is not None
    }
    records = Deals(opener.sheet(deals, "deals"), related)
    table = opener.sheet(history, "history")
    members: list[Pipeline] = []
    if pipelines is not None:
        members = read_pipelines(opener._replace(deleted=()).sheet(pipelines, "pipelines"))
    known: dict[str, str | None] = dict(meanings_of(members))
    if funnel is None:
        if pipelines is None:
            raise DefinitionError(
                "which stages are there? Give pipelines=, as GET /crm/v3/pipelines/deals gives "
                "them, or funnel="
            )
        chosen = choose(records, members, pipeline)
        leave_out_others(records, members, chosen)
        funnel = chosen.funnel(keep=stages_met(records, table, chosen))
        known = {**dict.fromkeys(known), **chosen.meanings()}
    meaning = Meaning(funnel, known, stage_map)
    draft = Draft(meaning, Options(ties, rates, missing_time, date_format, tz, errors))
    shared = {
        "customer": records.names("company"),
        "contact": records.names("contact"),
        "source": records.texts("source"),
        "type": records.texts("type"),
        "pipeline": labels_of(records, members),
        **{
            name: records.attribute(path)
            for name, path in named_attributes(attributes, OWN_LABELS).items()
        },
    }
    draft.attributes = (*shared, *OWN_LABELS)
    names = [*funnel.states, *meaning.stage_map]
    past = History(draft, records, list(shared.values()), [name for name in names if name])
    told = past.add_table(table, entered_at, order)
    told |= past.add_nested([key for key in records.row if key not in told])
    told |= past.add_entered([key for key in records.row if key not in told])
    past.add_standing([key for key in records.row if key not in told])

    draft.complete("expected_close", records.of_record(records.days))
    reasons = None
    if loss_reason is not None:
        reasons = records.sheet.field(*property_names(loss_reason, "Closed Lost Reason"))
    if reasons is not None:
        draft.give_reasons(records.of_record(records.sheet.texts(reasons.title)))
    draft.check_standing(
        records.sheet,
        records.title("stage"),
        [(row, key, records.stages[row]) for key, row in records.row.items() if key in told],
    )
    sheets = [records.sheet, table, *(other.sheet for other in related.values())]
    return draft.log(sheets, currency=currency, ordered=order is not None)


def load_by_pipeline(*, deals: Source, pipelines: Source, **options: Any) -> dict[str, StageLog]:
    """Return the log of each pipeline that has deals, by the pipeline's identifier.

    Parameters
    ----------
    deals, pipelines : source
        As in `load`.
    **options
        As in `load`, but for `pipeline` and `funnel`.

    Raises
    ------
    SalesFunnelError
        As in `load`.
    """
    limits = Limits(options.get("max_bytes", MAX_BYTES), options.get("max_line", MAX_LINE))
    progress = options.pop("progress", None)
    opener = Opener(unpack, MEMBER, options.get("partial", False), limits, progress=progress)
    sheet = opener.sheet(deals, "deals")
    table = opener.sheet(pipelines, "pipelines").table
    members = read_pipelines(opener.sheet(table, "pipelines"))
    present = set(pipelines_of(Deals(opener.sheet(sheet.table, "deals"), {}), members))
    return {
        member.id: load(deals=sheet.table, pipelines=table, pipeline=member.id, **options)
        for member in members
        if member.id in present
    }
