"""Files and responses as they should not be: cut, shuffled, of wrong types, in odd encodings."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]

STRANGE: list[Any] = [
    None,
    "",
    "  ",
    True,
    0,
    -1,
    3.7,
    float("nan"),
    float("inf"),
    10**30,
    -(10**30),
    1e308,
    "9" * 400,
    "nothing",
    "Demo ",
    '=HYPERLINK("http://example.invalid")',
    "+1+1",
    "<script>alert(1)</script>",
    "2026-02-30T00:00:00Z",
    "0000-00-00",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+14:00",
    "2026-01-05",
    "1767495600000",
    99_999_999_999_999_999,
    "İ\u200b\u202e名",
    "\ud800",
    [],
    [None],
    {},
    {"name": {"name": []}},
    [{"value": 1}],
]


class Mutant:
    """One variant of a response, made from a seed.

    Parameters
    ----------
    seed : int
    records : list of dict
        What the response has when it is sound.
    wrap : callable
        Makes a response of pages of records.
    paged : bool
        Whether it makes a list of pages.
    """

    def __init__(
        self,
        seed: int,
        records: list[Record],
        wrap: Callable[[list[list[Any]]], Any],
        *,
        paged: bool = True,
    ) -> None:
        self._paged = paged
        self.random = random.Random(seed)
        self.records: list[Any] = copy.deepcopy(records)
        self._wrap = wrap
        for _ in range(self.random.randint(1, 4)):
            self.random.choice(
                [
                    self._strange_value,
                    self._strange_value,
                    self._strange_value,
                    self._lost_field,
                    self._renamed_field,
                    self._strange_record,
                    self._doubled_record,
                    self._lost_record,
                    self._shuffled,
                ]
            )()

    # ── what may be wrong with records ────────────────────────────────────────────────────────────

    def _record(self) -> Record:
        sound = [record for record in self.records if isinstance(record, dict) and record]
        return self.random.choice(sound) if sound else {}

    def _strange_value(self) -> None:
        record = self._record()
        if record:
            name = self.random.choice(list(record))
            inner = record[name]
            if isinstance(inner, dict) and inner and self.random.random() < 0.8:
                record, name = inner, self.random.choice(list(inner))
            record[name] = copy.deepcopy(self.random.choice(STRANGE))

    def _lost_field(self) -> None:
        record = self._record()
        if record:
            del record[self.random.choice(list(record))]

    def _renamed_field(self) -> None:
        record = self._record()
        if record:
            name = self.random.choice(list(record))
            record[self.random.choice([name.upper(), f"{name}_x", "", name[::-1]])] = record.pop(
                name
            )

    def _strange_record(self) -> None:
        place = self.random.randrange(len(self.records) + 1)
        self.records.insert(place, copy.deepcopy(self.random.choice(STRANGE)))

    def _doubled_record(self) -> None:
        self.records.append(copy.deepcopy(self._record()))

    def _lost_record(self) -> None:
        if self.records:
            self.records.pop(self.random.randrange(len(self.records)))

    def _shuffled(self) -> None:
        self.random.shuffle(self.records)

    # ── the forms in which they come ──────────────────────────────────────────────────────────────

    def source(self, folder: Path) -> tuple[Any, int | None]:
        """Return a source, and how many rows it has; None where nobody can tell."""
        form = self.random.choice(["parsed", "pages", "json", "bytes", "csv", "csv bytes"])
        n_rows = len(self.records)
        if form == "parsed":
            return self._wrap([self.records]), n_rows
        if form == "pages":
            return self._pages()
        if form == "json":
            path = folder / "mutant.json"
            path.write_text(json.dumps(self._wrap([self.records])), encoding="utf-8")
            return path, n_rows
        if form == "bytes":
            path = folder / self.random.choice(["mutant.json", "mutant.jsonl", "mutant.csv"])
            path.write_bytes(self._broken(json.dumps(self._wrap([self.records])).encode()))
            return path, None
        text, n_rows = self._csv()
        path = folder / "mutant.csv"
        encoding = self.random.choice(["utf-8", "utf-8-sig", "gb18030"])
        data = text.encode(encoding, errors="replace")
        if form == "csv":
            path.write_bytes(gzip.compress(data) if self.random.random() < 0.2 else data)
            return path, n_rows
        path.write_bytes(self._broken(data))
        return path, None

    def _pages(self) -> tuple[Any, int | None]:
        cut = self.random.randint(0, len(self.records))
        pages = [self.records[:cut], self.records[cut:]]
        response = self._wrap(pages)
        if not self._paged:
            return response, len(self.records)
        doing = self.random.choice(["nothing", "lost", "doubled", "turned", "strange"])
        if doing == "lost":
            lost = self.random.randrange(2)
            return [response[1 - lost]], len(pages[1 - lost])
        if doing == "doubled":
            return [*response, response[0]], len(self.records) + cut
        if doing == "turned":
            return response[::-1], len(self.records)
        if doing == "strange":
            return [*response, copy.deepcopy(self.random.choice(STRANGE))], None
        return response, len(self.records)

    def _csv(self) -> tuple[str, int]:
        rows = [flat(record) for record in self.records if isinstance(record, dict)]
        header = list(dict.fromkeys(name for row in rows for name in row))
        self.random.shuffle(header)
        lines = [[str(cell(row.get(name))) for name in header] for row in rows]
        if lines and self.random.random() < 0.3:
            line = self.random.choice(lines)
            line[-1:] = ["more", "still more"] if self.random.random() < 0.5 else []
        out = io.StringIO()
        csv.writer(out).writerows([header, *lines])
        # What is a blank line is no row.
        return out.getvalue(), sum(any(line) or len(line) > 1 for line in lines)

    def _broken(self, data: bytes) -> bytes:
        doing = self.random.choice(["cut", "flipped", "zero", "utf-16", "latin", "gzip", "empty"])
        at = self.random.randrange(len(data) + 1)
        if doing == "cut":
            return data[:at]
        if doing == "flipped":
            return data[:at] + bytes([self.random.randrange(256)]) + data[at + 1 :]
        if doing == "zero":
            return data[:at] + b"\x00" + data[at:]
        if doing == "utf-16":
            return data.decode("utf-8", errors="replace").encode("utf-16")
        if doing == "latin":
            return data + "é\n".encode("latin-1")
        if doing == "gzip":
            return gzip.compress(data)[: max(3, at // 3)]
        return b""


def flat(record: Record, prefix: str = "") -> Record:
    """Return a record without records in it, as a table has it."""
    found: Record = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def cell(value: Any) -> Any:
    """Return a value as an export writes it."""
    return "" if value is None else value
