"""How a funnel and an opportunity look in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from salesfunnel.model.stage import LOST, WON
from salesfunnel.text.catalogue import Catalogue, catalogue
from salesfunnel.text.humanise import humanised
from salesfunnel.text.markup import Html, html_details, html_facts, html_table
from salesfunnel.text.numbers import MISSING, format_money, format_percent
from salesfunnel.text.times import format_date, format_datetime, format_duration

if TYPE_CHECKING:
    from salesfunnel.model.funnel import Funnel
    from salesfunnel.model.opportunity import Opportunity

_NUMBERS = {"probability", "max_age", "target_conversion", "target_loss", "stayed"}
_LABELS = ("customer", "contact", "owner", "source", "product")


def funnel_html(funnel: Funnel, lang: str) -> Html:
    """Return the stages of a funnel as a table, and its loss reasons as a list."""
    words = catalogue(lang)
    columns = {
        "stage": [stage.label(lang) for stage in funnel],
        "key": [stage.key for stage in funnel],
        "probability": [format_percent(stage.probability, lang, 0) for stage in funnel],
        "max_age": [
            format_duration(None if stage.max_age is None else stage.max_age.total_seconds(), lang)
            for stage in funnel
        ],
        "target_conversion": [format_percent(stage.target_conversion, lang, 0) for stage in funnel],
        "target_loss": [format_percent(stage.target_loss, lang, 0) for stage in funnel],
        "required_fields": [", ".join(stage.required) or MISSING for stage in funnel],
        "post_sale": [words.text("value.true") if stage.post_sale else MISSING for stage in funnel],
    }
    facts = [words.text("notebook.stages", count=len(funnel))]
    parts = [
        html_facts(funnel.name or words.text("notebook.funnel"), facts),
        _table(words, columns),
    ]
    if funnel.loss_reasons:
        summary = words.text("notebook.loss_reasons", count=len(funnel.loss_reasons))
        parts.append(html_details(summary, (reason.label(lang) for reason in funnel.loss_reasons)))
    return Html("\n".join(parts))


def opportunity_html(opportunity: Opportunity, lang: str, funnel: Funnel | None) -> Html:
    """Return what is known of an opportunity, and the way it went, as a table."""
    words = catalogue(lang)
    facts = []
    if opportunity.status is not None:
        facts.append(words.text(f"status.{opportunity.status}"))
    if opportunity.amount is not None:
        facts.append(format_money(opportunity.amount, opportunity.currency, lang))
    facts += [
        f"{words.header(name)}: {value}"
        for name in _LABELS
        if (value := getattr(opportunity, name)) is not None
    ]
    if opportunity.expected_close is not None:
        day = format_date(opportunity.expected_close, lang)
        facts.append(f"{words.header('expected_close')}: {day}")
    facts += [f"{words.header(name)}: {value}" for name, value in opportunity.fields.items()]
    parts = [html_facts(opportunity.id, facts)]
    history = opportunity.history
    stays = [(after.at - before.at).total_seconds() for before, after in pairwise(history)]
    if not history:
        return Html(html_facts(opportunity.id, [*facts, words.text("notebook.not_opened")]))
    columns = {
        "stage": [_state(change.stage, words, funnel) for change in history],
        "entered_at": [format_datetime(change.at, lang) for change in history],
        "stayed": [*(format_duration(stay, lang) for stay in stays), MISSING],
        "reason": [_reason(change.reason, lang, funnel) for change in history],
        "by": [change.by or MISSING for change in history],
        "note": [change.note or MISSING for change in history],
    }
    return Html("\n".join([*parts, _table(words, columns)]))


def _state(key: str, words: Catalogue, funnel: Funnel | None) -> str:
    """Return the name of a state; an opportunity does not know what its funnel calls the stages."""
    if key in (WON, LOST):
        return words.text(f"state.{key}")
    return humanised(key) if funnel is None else funnel[key].label(words.language)


def _reason(key: str | None, lang: str, funnel: Funnel | None) -> str:
    if key is None or funnel is None or not funnel.knows_reason(key):
        return key or MISSING
    return funnel.reason(key).label(lang)


def _table(words: Catalogue, columns: Mapping[str, Sequence[str]]) -> str:
    """Return columns as a table, without those in which nothing is known."""
    shown = {
        name: texts
        for name, texts in columns.items()
        if name == "stage" or any(text != MISSING for text in texts)
    }
    return html_table(
        words.language,
        [words.header(name) for name in shown],
        list(zip(*shown.values(), strict=True)),
        [name in _NUMBERS for name in shown],
    )
