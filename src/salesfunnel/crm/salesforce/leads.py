"""The records of ``Lead``: where opportunities come from, and on request the stage before all."""

from __future__ import annotations

from typing import Any

from salesfunnel.crm.cells import day
from salesfunnel.crm.draft import Draft, Entry, Part
from salesfunnel.crm.salesforce.opportunities import Opportunities
from salesfunnel.crm.salesforce.responses import long_id
from salesfunnel.crm.sheet import Sheet

LABELS = ("lead", "lead_source", "lead_owner", "lead_created")
"""What an opportunity knows of the lead that became it."""


class Leads:
    """The leads, and of each opportunity the first that was converted to it.

    Parameters
    ----------
    sheet : Sheet
        May be empty.
    draft : Draft
        Whose options say how times are read.

    Attributes
    ----------
    of : dict of str to int
        The row of each opportunity's lead.
    """

    def __init__(self, sheet: Sheet, draft: Draft) -> None:
        self.sheet = sheet
        self.of: dict[str, int] = {}
        self.sources: list[str | None] = []
        if not len(sheet):
            return
        field = sheet.needed("Id", "Lead ID")
        created = sheet.needed("CreatedDate", "Create Date")
        target = sheet.needed("ConvertedOpportunityId")
        self._ids = sheet.identifiers(field, long_id)
        sheet.leave_out_copies(self._ids, field.title)
        self._at = created.cells
        self._micro = draft.instants(sheet, created.title, self._at)
        self._titles = {"opportunity": field.title, "entered_at": created.title}
        self._target = [None if key is None else long_id(key) for key in sheet.texts(target.title)]
        self._owners = sheet.texts("Owner.Name", "Lead Owner", "OwnerId")
        self._companies = sheet.texts("Company", "Company / Account")
        self.sources = sheet.texts("LeadSource")
        for row in sorted(sheet.rows, key=self._micro.__getitem__):
            key = self._target[row]
            if key is not None:
                self.of.setdefault(key, row)

    def labels(self, row: int | None) -> tuple[Any, ...]:
        """Return what is known of a lead, in the order of `LABELS`."""
        if row is None:
            return (None,) * len(LABELS)
        return self._ids[row], self.sources[row], self._owners[row], day(self._at[row])

    def ignore_unconverted(self, opportunities: Opportunities) -> None:
        """Leave out the leads that lend their labels to no opportunity."""
        used = {row for key, row in self.of.items() if key in opportunities.row}
        for row in self.sheet.rows:
            if row not in used:
                self.sheet.ignore(row)

    def add(self, draft: Draft, stage: str, opportunities: Opportunities) -> None:
        """Add an entry into a stage for each lead, at the time when it came.

        A converted lead is known by the identifier of its opportunity, any other by its own. Left
        out are leads after the first of an opportunity, and one that came when the opportunity was
        there already.
        """
        if not len(self.sheet):
            return
        created = draft.instants(opportunities.sheet, "CreatedDate", opportunities.created)
        part = Part(self.sheet, self._titles)
        for row in self.sheet.rows:
            key = self._target[row] or self._ids[row]
            assert key is not None  # or the row is rejected
            record = opportunities.row.get(key)
            late = record is not None and created[record] < self._micro[row]
            if self.of.get(key, row) != row or late:
                self.sheet.ignore(row)
                continue
            known = dict(zip(LABELS, self.labels(row), strict=True))
            known |= {
                "owner": self._owners[row],
                "source": self.sources[row],
                "customer": self._companies[row],
            }
            labels = tuple(map(known.get, draft.attributes))
            draft.entries.append(Entry(part, row, key, stage, self._at[row], labels))
