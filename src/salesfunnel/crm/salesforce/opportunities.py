"""The records of ``Opportunity``, and what travels with them: account, contact, owner, lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from salesfunnel.columns.jsonl import records_table
from salesfunnel.crm.cells import day, text, truth
from salesfunnel.crm.related import Related, attribute
from salesfunnel.crm.salesforce.responses import long_id
from salesfunnel.crm.salesforce.stages import FORECAST_CATEGORIES
from salesfunnel.crm.sheet import Sheet
from salesfunnel.errors import IncompletePagesError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "Account": ("Account.Name", "Account Name"),
    "Owner": ("Owner.Name", "Opportunity Owner", "Owner Name"),
    "Contact": ("Contact.Name", "Contact Name"),
}
"""Where a record or a report has the name of what it refers to."""


class Opportunities:
    """The records of ``Opportunity``.

    Parameters
    ----------
    sheet : Sheet
        May be empty.
    related : mapping of str to Related
        Accounts, owners, contacts and leads that came apart, by the name of the relationship.

    Attributes
    ----------
    ids : (n,) list of str or None
    row : dict of str to int
        The row of each opportunity.
    gone : set of str
        Opportunities whose record is left out.
    titles : dict of str to str
        What the sheet calls the fields of an entry.
    """

    def __init__(self, sheet: Sheet, related: Mapping[str, Related]) -> None:
        self.sheet = sheet
        self.related = related
        self.ids: list[str | None] = []
        self.titles: dict[str, str] = {}
        if len(sheet):
            field = sheet.needed("Id", "Opportunity ID", "OpportunityId")
            self.titles = {
                "opportunity": field.title,
                "stage": sheet.title("StageName", "Stage"),
                "entered_at": sheet.title("CreatedDate"),
                "amount": sheet.title("Amount"),
            }
            self.ids = sheet.identifiers(field, long_id)
            sheet.leave_out_copies(self.ids, field.title)
        self.row = {
            key: row
            for row, key in enumerate(self.ids)
            if key is not None and not sheet.is_out(row)
        }
        self.gone = {key for key in self.ids if key is not None} - set(self.row)
        self.created = sheet.cells("CreatedDate")
        self.stages = sheet.texts("StageName", "Stage")
        self.amounts = sheet.cells("Amount")
        self.closed = [truth(value) for value in sheet.cells("IsClosed", "Closed")]
        self.days = [day(value) for value in sheet.cells("CloseDate")]
        self.categories = categories(sheet.cells("ForecastCategory", "ForecastCategoryName"))

    def closed_names(self) -> dict[str, str]:
        """Return the states of the stages that records say are closed, won or lost."""
        won = [truth(value) for value in self.sheet.cells("IsWon", "Won")]
        found: dict[str, set[str]] = {}
        for row, name in enumerate(self.stages):
            if name is not None and self.closed[row]:
                found.setdefault(name, set()).add("won" if won[row] else "lost")
        return {name: next(iter(states)) for name, states in found.items() if len(states) == 1}

    def of_record(self, values: Sequence[str | None]) -> Callable[[str], str | None]:
        """Return what gives an opportunity's value of a column."""

        def value(opportunity: str) -> str | None:
            row = self.row.get(opportunity)
            return None if row is None else values[row]

        return value

    def keys(self, relation: str) -> list[str | None]:
        """Return the identifiers of the records that opportunities refer to."""
        return self.ids if relation == "Lead" else self.sheet.texts(f"{relation}Id")

    def names(self, relation: str) -> list[str | None]:
        """Return the names of what opportunities refer to, or the identifier where there is none.

        They are in the record itself, or in the records that came apart.
        """
        keys = self.keys(relation)
        names: Sequence[str | None] = self.sheet.texts(*_NAMES[relation])
        if relation in self.related:
            other = self.related[relation]
            apart = other.field(keys, other.sheet.field("Name", "Full Name"))
            names = [name or found for name, found in zip(names, apart, strict=True)]
        return [name or key for name, key in zip(names, keys, strict=True)]

    def attribute(self, path: str) -> list[str | None]:
        """Return a field of the opportunity, or of what it refers to, as in ``Account.Industry``.

        Raises
        ------
        MissingColumnError
            If there is no such field.
        """
        return attribute(self.sheet, path, [path], self.related, self.keys)


def nested_history(records: Opportunities, *, partial: bool) -> Sheet | None:
    """Return the histories that were asked for with the opportunities, None if none were.

    They are the answer to a query in a query, ``(SELECT … FROM OpportunityHistories)``.

    Raises
    ------
    IncompletePagesError
        If one of them is not whole, and not `partial`.
    """
    name = "OpportunityHistories"
    field = records.sheet.field(f"{name}.records")
    if field is None:
        return None
    whole = [truth(value) for value in records.sheet.cells(f"{name}.done")]
    rows: list[Any] = []
    for key, row in records.row.items():
        if whole[row] is False and not partial:
            raise IncompletePagesError(
                "opportunities: the history of {key!r} goes on in another page: query "
                "OpportunityHistory by itself, or give partial=True",
                key=key,
            )
        members = field.cells[row]
        rows += [
            {**member, "OpportunityId": key} if isinstance(member, dict) else member
            for member in (members if isinstance(members, list) else ())
        ]
    title = f"opportunities.{name}"
    return Sheet(title, records_table(rows, title))


def categories(cells: Iterable[Any]) -> list[str | None]:
    """Return forecast categories by their keys; one that is not from the factory as it is."""
    names = map(text, cells)
    return [None if name is None else FORECAST_CATEGORIES.get(name, name) for name in names]
