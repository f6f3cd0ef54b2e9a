"""Records that opportunities refer to: accounts, contacts, owners, leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from salesfunnel.crm.cells import text
from salesfunnel.crm.sheet import Field, Sheet
from salesfunnel.errors import MissingColumnError
from salesfunnel.wording import Listed, Wording

Label = str | None


class Related:
    """Records that opportunities refer to, by their identifier.

    Parameters
    ----------
    sheet : Sheet
    names : sequence of str
        Names of the field with their identifier.
    clean : callable, optional
        Brings an identifier into the form in which it is looked up.
    rows : mapping of str to int, optional
        The row of each identifier, where it is not that of the field.
    """

    def __init__(
        self,
        sheet: Sheet,
        names: Sequence[str],
        clean: Callable[[str], str] = lambda given: given,
        *,
        rows: Mapping[str, int] | None = None,
    ) -> None:
        self.sheet = sheet
        self._clean = clean
        self.rows: dict[str, int] = dict(rows or {})
        if rows is None and len(sheet):
            field = sheet.needed(*names)
            ids = sheet.identifiers(field, clean)
            sheet.leave_out_copies(ids, field.title)
            self.rows = {key: row for row in sheet.rows if (key := ids[row]) is not None}

    def look_up(self, keys: Iterable[Label], values: Sequence[Label]) -> list[Label]:
        """Return the values of the records with these identifiers, None where there is none."""
        rows = (None if key is None else self.rows.get(self._clean(key)) for key in keys)
        return [None if row is None else values[row] for row in rows]

    def field(self, keys: Iterable[Label], field: Field | None) -> list[Label]:
        """Return a field of the records with these identifiers."""
        if field is None:
            return [None for _ in keys]
        return self.look_up(keys, [text(value) for value in field.cells])


def attribute(
    sheet: Sheet,
    path: str,
    names: Sequence[str],
    related: Mapping[str, Related],
    keys: Callable[[str], Sequence[Label]],
) -> list[Label]:
    """Return a field of opportunities, or of what they refer to, as in ``Account.Industry``.

    Parameters
    ----------
    sheet : Sheet
        The opportunities.
    path : str
        The name of the field, after that of the relationship and a point where it is not theirs.
    names : sequence of str
        What the sheet may call a field of that name.
    related : mapping of str to Related
        By the name of the relationship.
    keys : callable
        Gives the identifiers of a relationship, one for each opportunity.

    Raises
    ------
    MissingColumnError
        If there is no such field.
    """
    field = sheet.field(*names)
    if field is not None:
        return [text(value) for value in field.cells]
    relation, _, name = path.partition(".")
    if name and relation in related:
        other = related[relation]
        return other.field(keys(relation), other.sheet.needed(name, f"properties.{name}"))
    known = Listed(map(str, sheet.table.columns)) or Wording("none")
    apart = Listed(
        (Wording(", and those of {other} as {other}.…", other=other) for other in related), ""
    )
    raise MissingColumnError(
        "{name} have no field {path!r}; they have {known}{apart}",
        name=sheet.name,
        path=path,
        known=known,
        apart=apart,
    )
