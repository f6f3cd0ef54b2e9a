"""Loading a log from Salesforce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.crm.draft import Draft, Options
from salesfunnel.crm.meaning import Meaning, named_attributes
from salesfunnel.crm.related import Related
from salesfunnel.crm.salesforce.changes import Changes, Owners
from salesfunnel.crm.salesforce.history import OWN_LABELS, History
from salesfunnel.crm.salesforce.leads import LABELS as LEAD_LABELS
from salesfunnel.crm.salesforce.leads import Leads
from salesfunnel.crm.salesforce.opportunities import Opportunities, nested_history
from salesfunnel.crm.salesforce.responses import long_id, unpack
from salesfunnel.crm.salesforce.stages import Value, meanings, read_stages, to_funnel
from salesfunnel.crm.sheet import Opener, Sheet
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import StageMap
from salesfunnel.model.funnel import Funnel
from salesfunnel.model.stage import Stage

Source = Any
"""A parsed JSON response, a list of pages, a path (JSON or CSV), or a dataframe."""


def load(
    *,
    opportunities: Source = None,
    history: Source = None,
    stages: Source = None,
    field_history: Source = None,
    leads: Source = None,
    accounts: Source = None,
    contacts: Source = None,
    users: Source = None,
    loss_reason: str | None = None,
    attributes: Iterable[str] | Mapping[str, str] = (),
    funnel: Funnel | None = None,
    lead_stage: str | Stage | None = None,
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
    """Return the log of opportunities of Salesforce.

    Each source is a parsed JSON response of the REST API, a list of its pages, a path (JSON, JSON
    Lines or CSV, compressed or not), a list of paths, or a dataframe.

    The history of an opportunity is that of ``OpportunityHistory`` where it has one there, and else
    of ``OpportunityFieldHistory``: its first stage is the old value of the first change of
    ``StageName``, entered at ``CreatedDate``. An opportunity with neither has the one entry that is
    certain: open, its stage at ``CreatedDate``; closed, its close at ``CloseDate``, at midnight in
    `tz`. No time is ever taken from a field that says when a record was modified or synchronised,
    unless `entered_at` names it.

    Owner, amount, date of the expected close and forecast category are those known at each entry,
    as far as the histories tell, and else those of the record. Every record of a history is an
    entry, rejected, or ignored; a record of an opportunity describes one with a history, and else
    is an entry, rejected, or ignored.

    Parameters
    ----------
    opportunities : source, optional
        ``Opportunity``: Id, StageName, CreatedDate, CloseDate, IsClosed, IsWon, Amount, OwnerId and
        what else there is, with names of related records such as Account.Name.
    history : source, optional
        ``OpportunityHistory``: Id, OpportunityId, StageName, CreatedDate, Amount, CloseDate,
        ForecastCategory. Without it, what a query of opportunities asked for in itself, as in
        ``(SELECT StageName, CreatedDate FROM OpportunityHistories)``.
    stages : source, optional
        ``OpportunityStage``, from which the funnel is made: see `funnel` in this module. Inactive
        stages are in it where an opportunity was ever in them.
    field_history : source, optional
        ``OpportunityFieldHistory``: Id, OpportunityId, Field, OldValue, NewValue, CreatedDate.
    leads : source, optional
        ``Lead``: Id, CreatedDate, ConvertedOpportunityId, LeadSource, OwnerId, Company.
    accounts, contacts, users : source, optional
        ``Account``, ``Contact``, ``User``: Id and Name, where the opportunities lack the names.
    loss_reason : str, optional
        The field of the opportunity with the reason of a loss, as in ``"Loss_Reason__c"``. Names of
        the funnel's reasons, in any language, become their keys.
    attributes : sequence of str, or mapping of str to str
        More labels to group by, beyond owner, customer, contact, source, type, expected_close,
        forecast_category and the lead's: fields of the opportunity, or of what it refers to, as in
        ``{"industry": "Account.Industry", "rating": "Lead.Rating"}``.
    funnel : Funnel, optional
        Instead of the one made from `stages`.
    lead_stage : str or Stage, optional
        A stage that every lead enters when it comes; put before all others where the funnel does
        not have it. A converted lead goes on as its opportunity; any other stays there.
    entered_at : str, optional
        The field of `history` with the time of entry, in place of CreatedDate.
    deleted : bool
        Whether records in the recycle bin (IsDeleted) count; otherwise they are ignored.
    partial : bool
        Whether pages may be missing.
    order : str, optional
        The field of `history` with a record number that settles equal times.
    currency : str, optional
        The field with each amount's currency (CurrencyIsoCode by default), or the currency of all.
    stage_map, ties, rates, missing_time, date_format, tz, errors
        As in `StageLog.from_columns`. The stage map stands above what `stages` say.
    max_bytes, max_line : int
        What a compressed file may hold, and a line or a record may have, at most.
    progress : Progress, optional
        Called as ``progress(done, total, "read")`` while files are read, one after another, as in
        `read_csv`.

    Returns
    -------
    StageLog
        Identifiers have 18 characters, whatever the source has. In `rejected` the row is that of
        the source, and the column begins with the name of the argument.

    Raises
    ------
    IncompletePagesError
        If pages are missing and not `partial`.
    MissingColumnError, EncodingError, TruncatedFileError, EmptyFileError, FileLimitError
        If a source as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError
        As in `StageLog.from_columns`. It is an error too if the record of an opportunity is in
        another stage than where its history ends, since the entry between is missing.
    DefinitionError
        If there is neither `stages` nor `funnel`, or nothing to load.
    OSError
        If there is no such file.

    Examples
    --------
    >>> stages = [
    ...     {"ApiName": "Demo", "SortOrder": 1, "IsClosed": False},
    ...     {"ApiName": "Closed Won", "SortOrder": 2, "IsClosed": True, "IsWon": True},
    ... ]
    >>> history = {
    ...     "done": True,
    ...     "records": [
    ...         {"OpportunityId": "A", "StageName": "Demo", "CreatedDate": "2026-01-05T02:11Z"},
    ...         {"OpportunityId": "A", "StageName": "Closed Won", "CreatedDate": "2026-02-01T02Z"},
    ...     ],
    ... }
    >>> load(history=history, stages=stages)
    StageLog(2 entries of 1 opportunities, 1 stages, as of 2026-02-01 02:00:00+00:00)
    """
    if opportunities is None and history is None and field_history is None and leads is None:
        raise DefinitionError("nothing to load: give opportunities=, history= or field_history=")
    limits = Limits(max_bytes, max_line)
    in_bin = () if deleted else ("IsDeleted", "Deleted")
    opener = Opener(unpack, "records", partial, limits, in_bin, progress)
    sheets = {
        name: opener.sheet(source, name)
        for name, source in (
            ("opportunities", opportunities),
            ("history", history),
            ("field_history", field_history),
            ("leads", leads),
        )
    }
    related = {
        name: Related(opener.sheet(source, argument), ["Id"], long_id)
        for name, argument, source in (
            ("Account", "accounts", accounts),
            ("Contact", "contacts", contacts),
            ("Owner", "users", users),
        )
        if source is not None
    }
    records = Opportunities(sheets["opportunities"], related)
    nested = nested_history(records, partial=partial) if history is None else None
    if nested is not None:
        sheets["history"] = nested
    values = None if stages is None else read_stages(opener.sheet(stages, "stages"))
    meaning = _meaning(records, sheets, values, funnel, lead_stage, stage_map)
    draft = Draft(meaning, Options(ties, rates, missing_time, date_format, tz, errors))
    all_leads = Leads(sheets["leads"], draft)
    if leads is not None:
        related["Lead"] = Related(sheets["leads"], ["Id"], long_id, rows=all_leads.of)
    shared = _shared(records, all_leads, named_attributes(attributes, OWN_LABELS))
    draft.attributes = (*shared, *OWN_LABELS)

    if lead_stage is None:
        all_leads.ignore_unconverted(records)
    else:
        all_leads.add(draft, _key(lead_stage), records)
    changes = Changes(sheets["field_history"], draft, records.gone)
    past = History(
        draft,
        records,
        changes,
        Owners(records, changes),
        list(shared.values()),
        ("CurrencyIsoCode",) if currency is None else (currency, "CurrencyIsoCode"),
        order,
    )
    told = past.add_stage_history(sheets["history"], entered_at)
    told |= past.add_field_history([key for key in changes.of if key not in told])
    past.add_standing([key for key in records.row if key not in told])

    draft.complete("expected_close", records.of_record(records.days))
    draft.complete("forecast_category", records.of_record(records.categories))
    if loss_reason is not None:
        reasons = records.attribute(loss_reason)
        draft.give_reasons(records.of_record(reasons))
    rows = [(row, key, records.stages[row]) for key, row in records.row.items() if key in told]
    draft.check_standing(records.sheet, records.sheet.title("StageName", "Stage"), rows)
    apart = [other.sheet for name, other in related.items() if name != "Lead"]
    in_column = any(sheet.field(currency) for sheet in sheets.values()) if currency else True
    return draft.log(
        [*sheets.values(), *apart],
        currency=None if in_column else currency,
        ordered=order is not None,
    )


def _meaning(
    records: Opportunities,
    sheets: Mapping[str, Sheet],
    values: Sequence[Value] | None,
    funnel: Funnel | None,
    lead_stage: str | Stage | None,
    stage_map: StageMap | None,
) -> Meaning:
    """Return what the names of stages mean, in the funnel given or that of the stages."""
    known = records.closed_names()
    if values is not None:
        known |= meanings(values)
        if funnel is None:
            met = {
                *records.stages,
                *sheets["history"].texts("StageName", "To Stage", "Stage"),
                *sheets["field_history"].texts("OldValue"),
                *sheets["field_history"].texts("NewValue"),
            }
            funnel = to_funnel(values, {name for name in met if name is not None})
    if funnel is None:
        raise DefinitionError(
            "which stages are there? Give stages=, the records of OpportunityStage, or funnel="
        )
    if lead_stage is not None and _key(lead_stage) not in funnel.states:
        funnel = funnel.insert(lead_stage, before=funnel.stages[0].key)
    return Meaning(funnel, known, stage_map)


def _key(stage: str | Stage) -> str:
    return stage.key if isinstance(stage, Stage) else stage


def _shared(records: Opportunities, leads: Leads, more: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return the attributes that an opportunity's record gives to all its entries, by its row."""
    of_leads = [None if key is None else leads.of.get(key) for key in records.ids]
    sources = [
        source or (None if lead is None else leads.sources[lead])
        for source, lead in zip(records.sheet.texts("LeadSource"), of_leads, strict=True)
    ]
    lead_labels = list(zip(*map(leads.labels, of_leads), strict=True)) or [()] * len(LEAD_LABELS)
    return {
        "customer": records.names("Account"),
        "contact": records.names("Contact"),
        "source": sources,
        "type": records.sheet.texts("Type"),
        **dict(zip(LEAD_LABELS, map(list, lead_labels), strict=True)),
        **{name: records.attribute(path) for name, path in more.items()},
    }
