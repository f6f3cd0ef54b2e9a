"""Loading a log from Jiandaoyun."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.crm.draft import Draft, Options
from salesfunnel.crm.jiandaoyun.fields import Fields
from salesfunnel.crm.jiandaoyun.history import Events, Standing
from salesfunnel.crm.jiandaoyun.responses import DataPages, unpack_event, unpack_widgets
from salesfunnel.crm.meaning import Meaning
from salesfunnel.crm.sheet import Opener
from salesfunnel.errors import DefinitionError
from salesfunnel.kernel.progress import Progress
from salesfunnel.log.stagelog import StageLog
from salesfunnel.log.states import StageMap
from salesfunnel.model.funnel import Funnel

Source = Any
"""A parsed JSON response, a list of pages, a path (JSON or CSV), or a dataframe."""


def load(
    *,
    fields: Mapping[str, str],
    data: Source = None,
    widgets: Source = None,
    events: Source = None,
    funnel: Funnel | None = None,
    keep_removed: bool = False,
    partial: bool = False,
    stage_map: StageMap | None = None,
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
    """Return the log of a form of Jiandaoyun (简道云) that has a record for each opportunity.

    Each source is a parsed JSON response of the API v5, a list of its pages, a path (JSON, JSON
    Lines or CSV, compressed or not), a list of paths, or a dataframe.

    A form keeps no history, but what it pushes when records change makes one: each event is an
    entry, at its ``opTime``. A record without events has the one entry that is certain: open, its
    stage at ``createTime``; closed, its close, if a field of the form says when that was. No time
    is ever taken from ``updateTime``, unless `fields` names it.

    Parameters
    ----------
    fields : mapping of str to str
        Which field says what, each by its title, its alias, its identifier (``_widget_…``) or, of a
        system field, its name (``flowState``). What it says is ``stage``, which is needed,
        ``amount``, ``currency``, ``reason`` (of a loss), ``closed`` (when it was won or lost),
        ``opportunity`` (by default the identifier of the record), ``created`` (by default when that
        was made); every other name is that of an attribute: owner, customer, contact, source,
        product, expected_close and what you like.
    data : source, optional
        Records, as ``data/list`` gives them or an export.
    widgets : source, optional
        Fields of the form, as ``widget/list`` gives them; needed where `data` or `events` have
        identifiers or aliases and `fields` has titles, or the other way round.
    events : source, optional
        Events of a data push: ``data_create``, ``data_update``, ``data_recover``, ``data_remove``,
        in any order. One that is there twice counts once.
    funnel : Funnel, optional
        The standard funnel by default. Names of its stages and of its loss reasons, in any
        language, become their keys; a won and a lost opportunity are known by their usual names
        (赢单, 成交, 丢单, 输单 …).
    keep_removed : bool
        Whether records that were removed count; otherwise they and their events are ignored.
    partial : bool
        Whether pages may be missing. A page of Jiandaoyun does not say whether another follows, so
        that a last page as long as a full one is an error.
    currency : str, optional
        Currency of the amounts that have none.
    stage_map, ties, rates, missing_time, date_format, tz, errors
        As in `StageLog.from_columns`. Exports write times without a zone: that of the company, as
        in ``tz="Asia/Shanghai"``.
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
        If the last page is full, and not `partial`.
    MissingColumnError, EncodingError, TruncatedFileError, EmptyFileError, FileLimitError
        If a source as a whole cannot be read.
    DataError, NaiveTimeError, CurrencyError
        As in `StageLog.from_columns`. It is an error too if a record is in another stage than its
        last event says, since an event is missing.
    DefinitionError
        If `fields` does not name the stage, or there is nothing to load.
    OSError
        If there is no such file.

    Examples
    --------
    >>> record = {"_id": "65f1", "createTime": "2026-02-01T03:00:00.000Z", "_widget_17": "需求分析"}
    >>> widgets = {"widgets": [{"label": "商机阶段", "name": "_widget_17", "type": "combo"}]}
    >>> log = load(data={"data": [record]}, widgets=widgets, fields={"stage": "商机阶段"})
    >>> log.milestones().furthest
    array([2], dtype=uint8)
    """
    if data is None and events is None:
        raise DefinitionError("nothing to load: give data=, or events=")
    limits, pages = Limits(max_bytes, max_line), DataPages()
    records = Opener(pages, "data", partial, limits, progress=progress).sheet(data, "data")
    if not partial:
        pages.check()
    form = Opener(unpack_widgets, "widgets", partial, limits).sheet(widgets, "widgets")
    pushed = Opener(unpack_event, None, partial, limits, progress=progress).sheet(events, "events")

    names = Fields(fields, form)
    meaning = Meaning(Funnel.standard() if funnel is None else funnel, {}, stage_map)
    options = Options(ties, rates, missing_time, date_format, tz, errors)
    draft = Draft(meaning, options, names.attributes)
    told = Events(pushed, names, draft)
    standing = Standing(records, names, draft)
    told.add(draft, keep_removed=keep_removed)
    standing.leave_out(told.removed)
    standing.add(draft, told.told)
    draft.give_reasons(lambda key: standing.reason(key) or told.reason(key))
    stages = standing.records.stages
    draft.check_standing(
        records,
        standing.records.titles.get("stage", "stage"),
        [(row, key, stages[row]) for key, row in standing.row.items() if key in told.told],
    )
    return draft.log([records, pushed, form], currency=currency)
