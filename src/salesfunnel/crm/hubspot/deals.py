"""The records of deals: their properties, and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from salesfunnel.crm.cells import day, epoch, text
from salesfunnel.crm.hubspot.responses import property_names
from salesfunnel.crm.related import Related, attribute
from salesfunnel.crm.sheet import Sheet

_NAMES: Mapping[str, tuple[str, ...]] = {
    "stage": property_names("dealstage", "deal_pipeline_stage_id", "Deal Stage"),
    "pipeline": property_names("pipeline", "deal_pipeline_id", "Pipeline"),
    "created": (*property_names("createdate", "Create Date"), "createdAt"),
    "closed": property_names("closedate", "Close Date"),
    "amount": property_names("amount", "Amount"),
    "currency": property_names("deal_currency_code", "Currency"),
    "owner": property_names("hubspot_owner_id", "owner_id", "Deal owner"),
    "source": property_names(
        "hs_analytics_source", "Original Traffic Source", "Original Source Type"
    ),
    "type": property_names("dealtype", "Deal Type"),
}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "company": ("Associated Company IDs", "Primary Associated Company ID", "company_id"),
    "contact": ("Associated Contact IDs", "contact_id"),
}
_TITLES: Mapping[str, tuple[str, ...]] = {
    "company": ("Associated Company", "Primary Associated Company"),
    "contact": ("Associated Contact",),
}
ENTERED = re.compile(
    r"(?:properties\.|property_)?hs(_v2)?_date_entered_(?P<id>.+)|"
    r"Date entered\s+[\"'“‘](?P<label>.+?)[\"'”’](?P<pipeline>\s+\(.+\))?",
    re.IGNORECASE,
)
"""A property with the time when a deal entered a stage, as the API or an export calls it."""


class DateEntered(NamedTuple):
    """A property with the time when a deal entered a stage.

    Attributes
    ----------
    title : str
        What the sheet calls it.
    stage : str
        The end of its name: the stage.
    newer : bool
        Whether it is one of the newer kind (``hs_v2_…``), which are right where the older are not.
    at : (n,) list
    """

    title: str
    stage: str
    newer: bool
    at: list[Any]


class Deals:
    """The records of deals.

    Parameters
    ----------
    sheet : Sheet
        May be empty.
    related : mapping of str to Related
        Companies, contacts and owners that came apart.

    Attributes
    ----------
    ids : (n,) list of str or None
    row : dict of str to int
        The row of each deal.
    gone : set of str
        Deals whose record is left out.
    """

    def __init__(self, sheet: Sheet, related: Mapping[str, Related]) -> None:
        self.sheet = sheet
        self.related = related
        self.ids: list[str | None] = []
        self.titles: dict[str, str] = {}
        if len(sheet):
            field = sheet.needed(
                "id", *property_names("hs_object_id"), "deal_id", "Record ID", "Deal ID"
            )
            self.ids = sheet.identifiers(field)
            sheet.leave_out_copies(self.ids, field.title)
            self.titles = {
                "opportunity": field.title,
                **{name: sheet.title(*_NAMES[name]) for name in ("stage", "amount", "currency")},
            }
        self.settle()
        self.stages = self.texts("stage")
        self.pipelines = self.texts("pipeline")
        self.created, self.closed = epoch(self.cells("created")), epoch(self.cells("closed"))
        self.days = [day(value) for value in self.closed]
        self.amounts = self.cells("amount")
        self.currencies = self.texts("currency")
        owners = self.related.get("owner")
        self._owners = {} if owners is None else people(owners)
        self.owners = [self.owner_name(key) for key in self.texts("owner")]

    def settle(self) -> None:
        """Note which deals are left out by now."""
        sheet = self.sheet
        self.row = {
            key: row
            for row, key in enumerate(self.ids)
            if key is not None and not sheet.is_out(row)
        }
        self.gone = {key for key in self.ids if key is not None} - set(self.row)

    def title(self, name: str) -> str:
        """Return what the sheet calls a property."""
        return self.sheet.title(*_NAMES[name])

    def cells(self, name: str) -> list[Any]:
        """Return a property of each deal."""
        return self.sheet.cells(*_NAMES[name])

    def texts(self, name: str) -> list[str | None]:
        """Return a property of each deal, as texts."""
        return self.sheet.texts(*_NAMES[name])

    def owner_name(self, owner: str | None) -> str | None:
        """Return the name of an owner, or the identifier where there is none."""
        return None if owner is None else self._owners.get(owner, owner)

    def of_record(self, values: Sequence[str | None]) -> Callable[[str], str | None]:
        """Return what gives a deal's value of a column."""

        def value(deal: str) -> str | None:
            row = self.row.get(deal)
            return None if row is None else values[row]

        return value

    def entered(self) -> list[DateEntered]:
        """Return the properties with the times when deals entered stages."""
        found = []
        for column in self.sheet.table.columns:
            match = ENTERED.fullmatch(str(column).strip())
            field = None if match is None else self.sheet.field(column)
            if match is not None and field is not None:
                stage = match["id"] or f"{match['label']}{match['pipeline'] or ''}"
                newer = match["id"] is None or match[1] is not None
                at = epoch(field.cells)
                found.append(DateEntered(column, stage, newer, at))
        return found

    # ── what deals refer to ───────────────────────────────────────────────────────────────────────

    def keys(self, relation: str) -> list[str | None]:
        """Return the identifiers of what deals refer to: the first that is associated."""
        if relation == "owner":
            return self.texts("owner")
        plural = {"company": "companies", "contact": "contacts"}[relation]
        nested = self.sheet.cells(f"associations.{plural}.results")
        plain = self.sheet.texts(*_KEYS[relation])
        return [_first(members) or key for members, key in zip(nested, plain, strict=True)]

    def names(self, relation: str) -> list[str | None]:
        """Return the names of what deals refer to, or the identifier where there is none."""
        keys = self.keys(relation)
        shown = self.sheet.texts(*_TITLES[relation])
        other = self.related.get(relation)
        known = {} if other is None else people(other)
        return [
            name or (None if key is None else known.get(key, key))
            for name, key in zip(shown, keys, strict=True)
        ]

    def attribute(self, path: str) -> list[str | None]:
        """Return a property of deals, or of what they refer to, as in ``company.industry``.

        Raises
        ------
        MissingColumnError
            If there is no such property.
        """
        return attribute(self.sheet, path, property_names(path), self.related, self.keys)


def _first(members: Any) -> str | None:
    """Return the identifier of the first association."""
    if isinstance(members, list) and members and isinstance(members[0], dict):
        return text(members[0].get("id"))
    # An export has several identifiers in one cell.
    return None


def people(related: Related) -> dict[str, str]:
    """Return the names of companies, contacts or owners: their name, else their address."""
    sheet = related.sheet
    whole = sheet.texts(*property_names("name", "Company name"))
    first = sheet.texts(*property_names("firstname", "First Name", "firstName"))
    last = sheet.texts(*property_names("lastname", "Last Name", "lastName"))
    address = sheet.texts(*property_names("email", "Email"))
    found = {}
    for key, row in related.rows.items():
        name = whole[row] or " ".join(filter(None, (first[row], last[row]))) or address[row]
        if name:
            found[key] = name
    return found
