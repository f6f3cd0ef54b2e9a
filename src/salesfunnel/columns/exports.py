"""Exports: what is columns, and something about them, goes to files and dataframes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from salesfunnel.columns import saved
from salesfunnel.columns.frames import to_frame


class Exports:
    """The ways out of a value that is saved as columns, for a class to inherit.

    The class says which these are (`_saved`), and reads them back.
    """

    def _saved(self) -> saved.Saved:
        """Return the columns, and what is about them."""
        raise NotImplementedError

    def to_csv(self, path: str | Path | None = None, *, raw: bool = False) -> str:
        """Return the columns as CSV, and write it to a file if one is given.

        The file is UTF-8 with a byte order mark, by which spreadsheets know it.

        Parameters
        ----------
        path : str or Path, optional
        raw : bool
            By default a text that a spreadsheet would take for a formula is disarmed by an
            apostrophe; ``raw=True`` writes what is there, for machines, without the mark, and with
            quotation marks around texts that look like numbers: `from_csv` reads it back unchanged.
        """
        return saved.to_csv(self._saved(), path, raw=raw)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return it as JSON, for `from_json`, and write it to a file if one is given.

        Columns come with their types, and with what else must be known to read them alone.
        """
        return saved.to_json(self._saved(), path)

    def to_parquet(self, path: str | Path) -> None:
        """Write it to a Parquet file, for `from_parquet`.

        Raises
        ------
        MissingExtraError
            If pyarrow is not installed.
        """
        saved.to_parquet(self._saved(), path)

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the columns as a dataframe of a library.

        `from_frame` reads it back unchanged.

        Parameters
        ----------
        backend : str
            The name of the library: ``"pandas"``, ``"polars"``, ``"pyarrow"`` and so on.

        Raises
        ------
        MissingExtraError
            If narwhals is not installed.
        ImportError
            If the library is not installed.
        DefinitionError
            If it is none that narwhals can make dataframes of.
        """
        return to_frame(self._saved().columns, backend)
