"""What a file is: by what an option says, or by its ending."""

from __future__ import annotations

from pathlib import Path, PurePath

from salesfunnel.columns.files import content_name
from salesfunnel.columns.source import ARROW, JSON, JSON_LINES

FORMATS = ("csv", "json", "jsonl", "parquet", "npz")
"""Formats of files; Arrow and Feather files are read as Parquet is, and npz is a saved log."""
CRMS = ("salesforce", "hubspot", "jiandaoyun")
_ENDINGS = (
    *((ending, "parquet") for ending in ARROW),
    *((ending, "json") for ending in JSON),
    *((ending, "jsonl") for ending in JSON_LINES),
    (".npz", "npz"),
)


def format_of(path: str, asked: str | None) -> str:
    """Return the format of a file: the one asked for, or that of its ending; else CSV.

    Raises
    ------
    OSError, DataError
        If it is a zip file, in which the ending is that of the file in it, and cannot be opened.
    """
    if asked is not None:
        return asked
    ending = PurePath(path).suffix.lower()
    if ending != ".npz":
        ending = PurePath(content_name(Path(path))).suffix.lower()
    return dict(_ENDINGS).get(ending, "csv")
