"""Broken and hostile variants of good data, the same ones for the same seed."""

from __future__ import annotations

import gzip
import io
import zipfile
from random import Random
from typing import Any

Rows = list[dict[str, Any]]

STRANGE: list[Any] = [
    *(
        None,
        "",
        "   ",
        "NULL",
        "nan",
        "None",
        "N/A",
        "-",
        "?",
        "\ufeff",
        "\u202eabc",
        "💥",
        "\x1b[31m",
    ),
    *("=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "<script>alert(1)</script>", "' OR 1=1 --"),
    *('say "hi"', "a,b", "a;b", "a\tb", "two\nlines", "two\r\nlines", "\r", "\\", "{}", "[]", "'"),
    *("1e309", "-1e309", "inf", "9" * 400, "1_000", "1,000.50", "０１２", "12abc", "0x10"),
    *("2026-13-45", "0000-00-00", "10000-01-01", "9999-12-31T23:59:59.999999Z", "yesterday"),
    *("31/12/2026", "2026-02-30T25:61", "1970-01-01T00:00:00+99:00", "2026-01-05 09:30 CST"),
    *("x" * 5_000, "won", "lost", "lead ", " LEAD", "Lead", "leed", "price"),
    *(0, 1, -1, 7, 2**31, 2**63, -(2**63), 2**70, 20260105, 1_767_225_600_000, 1.5, -0.0),
    *(float("inf"), True, False),
]
"""Values that no one expects in a column."""
NESTED: list[Any] = [[], {}, [1, "a"], {"a": {"b": 1}}, [[]], [None]]
"""Values that only JSON can have."""
SIGNS = [b'"', b"\n", b"\r", b",", b"{", b"\x00"]
ENCODINGS = ["utf-16", "gb18030", "latin-1", "utf-8-sig", "utf-32", "big5"]


def mutated_rows(rows: Rows, random: Random, *, nested: bool = False) -> Rows:
    """Return rows with some values, rows and columns not as they should be."""
    rows = [dict(row) for row in rows]
    strange = STRANGE + (NESTED if nested else [])
    for _ in range(random.randint(1, 4)):
        names = list(rows[0]) if rows else []
        if not names:
            break
        column, row = random.choice(names), random.choice(rows)
        match random.randrange(9):
            case 0 | 1 | 2:
                row[column] = random.choice(strange)
            case 3:  # a whole column
                for member in rows:
                    member[column] = random.choice(strange)
            case 4:  # two columns have changed places
                other = random.choice(names)
                for member in rows:
                    member[column], member[other] = member[other], member[column]
            case 5:  # a column is gone
                for member in rows:
                    del member[column]
            case 6:
                rows.insert(random.randrange(len(rows)), dict(row))
            case 7:
                del rows[random.randrange(len(rows))]
            case _:
                random.shuffle(rows)
    return rows


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Return a file that is cut, damaged, in another encoding or packed; or as it was."""
    match random.randrange(12):
        case 0:
            return data[: random.randrange(len(data) + 1)]
        case 1:
            return data[random.randrange(len(data) + 1) :]
        case 2:  # some bytes are others
            damaged = bytearray(data)
            for _ in range(random.randint(1, 5)):
                if damaged:
                    damaged[random.randrange(len(damaged))] = random.randrange(256)
            return bytes(damaged)
        case 3:
            place = random.randrange(len(data) + 1)
            return data[:place] + random.randbytes(random.randint(1, 9)) + data[place:]
        case 4:
            place = random.randrange(len(data) + 1)
            return (
                data[:place]
                + random.choice([b'"', b"\n", b"\r", b",", b"{", b"\x00"])
                + data[place:]
            )
        case 5:
            encoding = random.choice(
                ["utf-16", "gb18030", "latin-1", "utf-8-sig", "utf-32", "big5"]
            )
            return data.decode(errors="replace").encode(encoding, errors="replace")
        case 6:
            packed = gzip.compress(data)
            return packed if random.random() < 0.5 else packed[: random.randrange(len(packed))]
        case 7:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("data", data)
            packed = out.getvalue()
            return packed if random.random() < 0.5 else packed[: random.randrange(len(packed))]
        case _:
            return data
