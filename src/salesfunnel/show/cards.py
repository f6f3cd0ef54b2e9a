"""Cards: the headline numbers of a page, with their change against the period before."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from salesfunnel.show.sections import Section
from salesfunnel.table import Table
from salesfunnel.text.catalogue import catalogue
from salesfunnel.text.numbers import (
    format_decimal,
    format_integer,
    format_money,
    format_percent,
)

if TYPE_CHECKING:
    from salesfunnel.show.report import Report


class Card(NamedTuple):
    """One number: what it is called, what it is, and the lines below it."""

    label: str
    value: str
    lines: list[str]


class Cards(NamedTuple):
    """Numbers of one stretch of time, with its name above them; of the whole log, without."""

    title: str
    cards: list[Card]


def cards(report: Report, section: Section, lang: str) -> list[Cards]:
    """Return the cards of the headline: the whole log, then the last period that is over."""
    found = [Cards("", _whole(report, section.tables["summary"], lang))]
    if "change" in section.tables:
        change = section.tables["change"]
        title = catalogue(lang).text("page.last_period", period=change.texts("period", lang)[0])
        found.append(Cards(title, _last(report, change, lang)))
    return found


def _whole(report: Report, table: Table, lang: str) -> list[Card]:
    words = catalogue(lang)
    standing = [
        f"{words.header(name)} {table.texts(name, lang)[0]}"
        for name in ("open", "won", "lost", "churned")
        if name not in table.hidden
    ]
    rate, _, interval = table.texts("win_rate", lang)[0].partition(" ")
    counted = [
        format_integer(table[f"win_rate_{part}"][0], lang) for part in ("numerator", "denominator")
    ]
    found = [
        Card(words.header("opportunities"), table.texts("opportunities", lang)[0], standing),
        Card(words.header("win_rate"), rate, _lines(" / ".join(counted), interval)),
        Card(words.header("sales_cycle_days"), table.texts("median_days", lang)[0], []),
    ]
    amounts = [name for name in ("won_amount", "open_amount") if name not in table.hidden]
    exact = [table.texts(name, lang)[0] for name in amounts]
    return [
        *found,
        *(_money(report, *card, table, lang) for card in zip(amounts, exact, strict=True)),
    ]


def _last(report: Report, change: Table, lang: str) -> list[Card]:
    words = catalogue(lang)

    def against(name: str) -> str:
        value = change[f"{name}_change"][0]
        return "" if isnan(value) else words.text("page.change", change=_signed(value, lang, "%"))

    found = [
        Card(words.header(name), change.texts(name, lang)[0], _lines(against(name)))
        for name in ("created", "won", "lost")
    ]
    rate, _, interval = change.texts("win_rate", lang)[0].partition(" ")
    points = [change[f"win_rate_difference{end}"][0] for end in ("", "_low", "_high")]
    known = not isnan(sum(points))
    texts = dict(
        zip(("change", "low", "high"), (_signed(x, lang, "") for x in points), strict=True)
    )
    detail = words.text("page.change_points", **texts) if known else ""
    found.append(Card(words.header("win_rate"), rate, _lines(interval, detail)))
    if "won_amount" not in change.hidden:
        found.append(_money(report, "won_amount", against("won_amount"), change, lang))
    return found


def _money(report: Report, name: str, detail: str, table: Table, lang: str) -> Card:
    amount = format_money(float(table[name][0]), report.asked.log.currency, lang, compact=True)
    return Card(catalogue(lang).header(name), amount, _lines(detail))


def _lines(*texts: str) -> list[str]:
    """Return lines, without those in which nothing stands."""
    return [text for text in texts if text]


def _signed(change: float, lang: str, unit: str) -> str:
    """Return a change in per cent or in points with its sign, whether it is up or down."""
    text = format_percent(change, lang) if unit else format_decimal(100 * change, lang, 1)
    return f"+{text}" if change > 0 else text
