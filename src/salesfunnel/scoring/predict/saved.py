"""Models as plain data: what is read back is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from salesfunnel.errors import DefinitionError


@contextmanager
def saved_parts(kind: str, data: Mapping[str, Any]) -> Iterator[None]:
    """Read the parts of a saved model of a kind; whatever is wrong with them is one error.

    Raises
    ------
    DefinitionError
        If the data is of another kind, or a part is missing or not of its form.
    """
    if not isinstance(data, Mapping) or data.get("kind") != kind:
        found = data.get("kind") if isinstance(data, Mapping) else type(data).__name__
        raise DefinitionError(
            "this is no saved model of the kind {kind!r}, but {found!r}", kind=kind, found=found
        )
    try:
        yield
    except DefinitionError:
        raise
    except KeyError as error:
        raise DefinitionError(
            "a saved model of the kind {kind!r} has no {error}", kind=kind, error=error
        ) from None
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            "a saved model of the kind {kind!r}: {error}", kind=kind, error=error
        ) from None
