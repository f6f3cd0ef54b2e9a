"""A log in an .npz file, exactly as it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.npz import Stored, read_npz, write_npz
from salesfunnel.columns.packedvalues import pack_texts, pack_values, unpack_texts, unpack_values
from salesfunnel.columns.values import distinct_values
from salesfunnel.errors import BadRow, SalesFunnelError
from salesfunnel.kernel.arranging import arrange
from salesfunnel.kernel.ordering import is_sorted
from salesfunnel.log.build import rejected_table
from salesfunnel.log.labels import Labels
from salesfunnel.log.stagelog import StageLog
from salesfunnel.model.funnel import Funnel
from salesfunnel.periods import FIRST, LAST, zone_of_text, zone_text
from salesfunnel.table import Table
from salesfunnel.wording import Wording, wording_of

_ABOUT = ("funnel", "tz", "currency", "ignored", "attributes")


def save_log(log: StageLog, path: str | Path) -> None:
    """Write a log to a file; `StageLog.save` says what can go wrong."""
    entries = log.entries
    arrays: dict[str, NDArray[Any]] = {
        "n_entries": np.diff(entries.first_rows, append=len(log)),
        "state": entries.state,
        "time": entries.time,
        **pack_values("opportunity", log.opportunities, Wording("the identifier")),
    }
    if log.reasons is not None:
        arrays |= _pack_labels("reason", log.reasons)
    if log.amounts is not None:
        arrays["amount"] = log.amounts
    if log.records is not None:
        arrays["record"] = log.records
    for place, name in enumerate(log.attributes):
        arrays |= _pack_labels(f"attribute.{place}", log.attribute(name))
    for name in BadRow._fields:
        arrays |= pack_values(
            f"rejected.{name}", log.rejected[name], Wording("the value"), others_as_text=True
        )
    said = (log.funnel.to_dict(), zone_text(log.tz), log.currency, log.ignored)
    about = dict(zip(_ABOUT, (*said, list(log.attributes)), strict=True))
    write_npz(path, "StageLog", about, arrays, compressed=False)


def load_log(path: str | Path, max_bytes: int) -> StageLog:
    """Return the log that `save_log` wrote; `StageLog.load` says what can go wrong."""
    stored = read_npz(path, "StageLog", max_bytes=max_bytes)
    about: dict[str, Any] = {name: stored.about.get(name) for name in _ABOUT}
    currency, ignored, attributes = (about[name] for name in ("currency", "ignored", "attributes"))
    plain = isinstance(about["tz"], str) and type(ignored) is int
    if not plain or not (currency is None or isinstance(currency, str)):
        raise stored.fault(Wording("its zone, its currency or what it ignored is none"))
    if not isinstance(attributes, list) or not all(isinstance(name, str) for name in attributes):
        raise stored.fault(Wording("its attributes are {attributes!r}", attributes=attributes))
    try:
        funnel, tz = Funnel.from_dict(about["funnel"]), zone_of_text(about["tz"])
    except SalesFunnelError as error:
        raise stored.fault(wording_of(error)) from None

    codes, identifiers, lengths = _opportunities(stored)
    n = int(lengths.sum())
    state = stored.array("state", np.uint8, (n,), most=len(funnel.states) - 1)
    time = stored.array("time", np.int64, (n,), least=FIRST, most=LAST)
    opportunity = np.repeat(codes, lengths)
    if not is_sorted(opportunity, time):
        raise stored.fault(Wording("its entries are not in the order of their times"))
    amounts = records = None
    if "amount" in stored.arrays:
        amounts = stored.array("amount", np.float64, (n,))
        if np.isinf(amounts).any():
            raise stored.fault(Wording("an amount is infinite"))
    if "record" in stored.arrays:
        records = stored.array("record", np.signedinteger, (n,), least=0)
    return StageLog(
        funnel,
        arrange(opportunity, time, state, len(funnel.states)).entries,
        identifiers,
        reasons=_labels(stored, "reason", n) if "reason.codes" in stored.arrays else None,
        amounts=amounts,
        attributes={
            name: _labels(stored, f"attribute.{place}", n) for place, name in enumerate(attributes)
        },
        tz=tz,
        currency=currency,
        rejected=_rejected(stored),
        ignored=ignored,
        records=records,
    )


def _opportunities(
    stored: Stored,
) -> tuple[NDArray[np.integer[Any]], NDArray[Any] | None, NDArray[np.int64]]:
    """Return codes of the opportunities, what they stand for, and how many entries each has."""
    identifiers = unpack_values(stored, "opportunity")
    lengths = stored.array("n_entries", np.int64, (len(identifiers),), least=1)
    if int(lengths.sum(dtype=object)) != len(stored.array("state", np.uint8)):
        raise stored.fault(
            Wording("its opportunities have not as many entries as there are states")
        )
    if identifiers.dtype.kind in "iu":
        ascend = bool((identifiers[1:] > identifiers[:-1]).all())
        if ascend and _are_codes(identifiers, int(lengths.sum())):
            return identifiers, None, lengths
        distinct = ascend
    else:
        distinct = len(distinct_values(identifiers).values) == len(identifiers)
    if not distinct:
        raise stored.fault(
            Wording("two opportunities have one identifier, or they are in no order")
        )
    return np.arange(len(identifiers)), identifiers, lengths


def _are_codes(identifiers: NDArray[np.integer[Any]], n: int) -> bool:
    """Return whether integers are their own codes: there is room for the number of the row."""
    span = int(identifiers[-1]) - int(identifiers[0]) if len(identifiers) else 0
    return identifiers.dtype != np.uint64 and span.bit_length() + n.bit_length() <= 63


def _pack_labels(name: str, labels: Labels) -> dict[str, NDArray[Any]]:
    return {f"{name}.codes": labels.codes, **pack_texts(f"{name}.names", labels.names)}


def _labels(stored: Stored, name: str, n: int) -> Labels:
    names = unpack_texts(stored, f"{name}.names")
    if any(later <= earlier for earlier, later in pairwise(names)):
        raise stored.fault(Wording("the labels {name!r} are in no order", name=name))
    codes = stored.array(f"{name}.codes", np.signedinteger, (n,), least=-1, most=len(names) - 1)
    complete = bool((codes >= 0).all() and np.bincount(codes, minlength=len(names)).all())
    return Labels(codes, tuple(names), complete=complete)


def _rejected(stored: Stored) -> Table:
    columns = [unpack_values(stored, f"rejected.{name}").tolist() for name in BadRow._fields]
    if len({len(column) for column in columns}) > 1:
        raise stored.fault(Wording("the columns of what was rejected are of different lengths"))
    rows = [BadRow(*row) for row in zip(*columns, strict=True)]
    texts = all(isinstance(row.column, str) and isinstance(row.expected, str) for row in rows)
    if not texts or not all(isinstance(row.row, int) for row in rows):
        raise stored.fault(Wording("what was rejected is no row"))
    return rejected_table(rows)
