"""Fields of a form, by their titles, aliases or identifiers, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from salesfunnel.crm.cells import day, text
from salesfunnel.crm.sheet import Field, Sheet
from salesfunnel.errors import DataError, DefinitionError, MissingColumnError
from salesfunnel.wording import Listed, Wording

STAGE, AMOUNT, CURRENCY, REASON = "stage", "amount", "currency", "reason"
OPPORTUNITY, CREATED, CLOSED, CLOSE = "opportunity", "created", "closed", "expected_close"
_ENTRY = (STAGE, AMOUNT, CURRENCY, REASON, OPPORTUNITY, CREATED, CLOSED)
_SYSTEM: Mapping[str, tuple[str, ...]] = {
    OPPORTUNITY: ("_id", "数据ID", "数据 ID"),
    CREATED: ("createTime", "创建时间", "提交时间"),
}
"""Where a record has what no field of the form says, in the API and in exports."""


class Fields:
    """Which field says what.

    Parameters
    ----------
    fields : mapping of str to str
        Fields by what they say; what is no part of an entry is an attribute.
    widgets : Sheet
        The fields of the form; may be empty.

    Raises
    ------
    DefinitionError
        If no field says the stage.
    """

    def __init__(self, fields: Mapping[str, str], widgets: Sheet) -> None:
        if not isinstance(fields, Mapping) or not all(
            isinstance(word, str) and word for pair in fields.items() for word in pair
        ):
            raise DefinitionError(
                "fields= maps what a field says to the field, as in {{'stage': '商机阶段', "
                "'amount': '预计金额'}}, not {fields!r}",
                fields=fields,
            )
        self._fields = dict(fields)
        if "loss_reason" in self._fields:
            self._fields.setdefault(REASON, self._fields.pop("loss_reason"))
        if STAGE not in self._fields:
            raise DefinitionError(
                "fields= names at least the field with the stage, as in {'stage': '商机阶段'}"
            )
        self.attributes = tuple(name for name in self._fields if name not in _ENTRY)
        self._has_widgets = len(widgets) > 0
        self._names: dict[str, list[tuple[str, ...]]] = {}
        columns = [widgets.texts(name) for name in ("name", "widgetName", "label")]
        for row in widgets.rows:
            names = tuple(dict.fromkeys(c[row] or "" for c in columns if c[row]))
            for name in names:
                self._names.setdefault(name, []).append(names)

    def __contains__(self, role: str) -> bool:
        return role in self._fields or role in _SYSTEM

    def find(self, sheet: Sheet, role: str, prefix: str = "") -> Field | None:
        """Return the field of a sheet that says something.

        Parameters
        ----------
        sheet : Sheet
        role : str
            What it says.
        prefix : str
            What stands before the names of fields in this sheet.

        Raises
        ------
        MissingColumnError
            If neither the sheet nor the form has such a field.
        """
        given = self._fields.get(role)
        names = _SYSTEM.get(role, ()) if given is None else self._candidates(given)
        for name in names:
            found = _column(sheet, prefix + name)
            if found is not None:
                return found
        if given is None or (given in self._names and role != STAGE):
            return None
        known = Listed(map(str, sheet.table.columns)) or Wording("none")
        hint = (
            ""
            if self._has_widgets
            else Wording("; widgets= tells which title belongs to which name")
        )
        raise MissingColumnError(
            "{name} has no field {given!r}; it has {known}{hint}",
            name=sheet.name,
            given=given,
            known=known,
            hint=hint,
        )

    def needed(self, sheet: Sheet, role: str, prefix: str = "") -> Field:
        """Return the field of a sheet that says something.

        Raises
        ------
        MissingColumnError
            If there is none.
        """
        found = self.find(sheet, role, prefix)
        if found is None:
            names = Listed((repr(name) for name in _SYSTEM.get(role, (role,))), " or ")
            known = Listed(map(str, sheet.table.columns)) or Wording("none")
            raise MissingColumnError(
                "{name} has no field {names}; it has {known}. fields= names another, as in "
                "{{{role!r}: …}}",
                name=sheet.name,
                names=names,
                known=known,
                role=role,
            )
        return found

    def _candidates(self, given: str) -> tuple[str, ...]:
        """Return what a field may be called, of which one name is given."""
        owners = self._names.get(given, [])
        if len(set(owners)) > 1:
            listing = Listed(names[0] for names in owners)
            raise DataError(
                "widgets: {given!r} is the title of several fields: {listing}",
                given=given,
                listing=listing,
            )
        return tuple(dict.fromkeys((given, *(owners[0] if owners else ()))))


def _column(sheet: Sheet, name: str) -> Field | None:
    """Return a column as cells; of what has a name, such as a member, the name."""
    plain, named = sheet.field(name), sheet.field(f"{name}.name")
    if plain is None:
        return None if named is None else Field(name, named.cells)
    cells = plain.cells
    if named is not None:
        cells = [
            other if cell is None else cell for cell, other in zip(cells, named.cells, strict=True)
        ]
    return Field(plain.title, cells)


def label(value: Any) -> str | None:
    """Return what a field shows: of several values all, of members and departments their names."""
    if isinstance(value, Mapping):
        return text(value.get("name"))
    if isinstance(value, (list, tuple)):
        shown = [label(member) for member in value]
        return ", ".join(name for name in shown if name) or None
    return text(value)


def local_day(value: Any, zone: tzinfo | None) -> str | None:
    """Return the day of a date, which the API gives as an instant, in the zone of the log."""
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        return day(value)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(zone or UTC).date().isoformat()
    return day(value)
