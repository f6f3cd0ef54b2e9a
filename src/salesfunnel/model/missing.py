"""What stands for a value that is not there."""

from __future__ import annotations

from typing import Any

_LIBRARIES_OWN = frozenset({"NAType", "NaTType"})


def is_missing(value: Any) -> bool:
    """Return whether a value stands for none: None, a blank text, NaN, NaT, a library's own NA."""
    if isinstance(value, str):
        return not value.strip()
    if value is None or type(value).__name__ in _LIBRARIES_OWN:
        return True
    # NaN and NaT, of whatever library, are unequal to themselves; arrays compare to an array.
    unequal = value != value
    return type(unequal).__name__ in ("bool", "bool_") and bool(unequal)
