"""Every exception of the library, in one hierarchy.

Whatever goes wrong through a user's doing is a `SalesFunnelError`. Those that are also a standard
kind of mistake inherit from it too (`ValueError`, `LookupError`), so that code which knows nothing
of this library still catches them.
"""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from salesfunnel.wording import Listed, Wording

if TYPE_CHECKING:
    from salesfunnel.model.lead import Lead
    from salesfunnel.model.opportunity import Opportunity


class SalesFunnelError(Exception):
    """Base of every error that this library raises on purpose.

    Parameters
    ----------
    message : str
        What was given, what was expected, and what to do: a template of `str.format`, or without
        fields the text as it stands.
    **fields
        The values of the template's fields.

    Attributes
    ----------
    words : str
        The message, with the template and the fields it is made of: what `salesfunnel.explain`
        says in another language.
    """

    # KeyError would print the message with quotes around it.
    __str__ = Exception.__str__

    def __init__(self, message: str = "", /, **fields: object) -> None:
        made = isinstance(message, (Wording, Listed)) and not fields
        self.words: str = message if made else Wording(message, **fields)
        super().__init__(str(self.words))

    def __reduce__(self) -> tuple[Any, ...]:
        # Out of a process pool an error comes as a copy, made of its message and its attributes:
        # without this Python would call the class with the message alone.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


# ── definitions: what a funnel, a stage, an opportunity may be ────────────────────────────────────


class DefinitionError(SalesFunnelError, ValueError):
    """A value of the model (stage, loss reason, funnel, opportunity, policy) that cannot be."""


class DuplicateKeyError(DefinitionError):
    """Two stages, or two loss reasons, of one funnel share a key."""


class UnknownStateError(SalesFunnelError, KeyError):
    """A key that is no state of the funnel."""


class UnknownReasonError(SalesFunnelError, KeyError):
    """A key that is no loss reason of the funnel."""


class UnknownLanguageError(SalesFunnelError, ValueError):
    """A language that the catalogue does not have."""


class MissingTextError(SalesFunnelError, KeyError):
    """A text that the catalogue of a language does not have."""


# ── the engine's refusals ─────────────────────────────────────────────────────────────────────────


class TransitionError(SalesFunnelError):
    """A change that the engine refuses; the opportunity stays as it was.

    Attributes
    ----------
    opportunity : Opportunity
        The opportunity, unchanged.
    state : str or None
        Where it is: the key of its present state, None before it was opened.
    asked : str or None
        The key of the state that it was asked to enter.
    allowed : tuple of str
        The keys of the states that it may enter from here. Where `asked` is one of them, it was
        refused for its time, its reason, a missing field, or by a guard.
    """

    def __init__(
        self,
        problem: str,
        *,
        opportunity: Opportunity,
        asked: str | None,
        allowed: Sequence[str] = (),
    ) -> None:
        self.problem = problem
        self.opportunity = opportunity
        self.state = opportunity.stage
        self.asked = asked
        self.allowed = tuple(allowed)
        opened = self.state is not None
        where = Wording("in {state!r}", state=self.state) if opened else Wording("not opened yet")
        choices = ""
        if self.allowed and asked not in self.allowed:
            choices = Wording(
                "; from here it may enter {allowed}" if opened else "; it may start at {allowed}",
                allowed=Listed(map(repr, self.allowed)),
            )
        super().__init__(
            "opportunity {id!r} ({where}): {problem}{choices}",
            id=opportunity.id,
            where=where,
            problem=problem,
            choices=choices,
        )


class NotOpenedError(TransitionError):
    """The opportunity has no history yet: `open` it first."""


class AlreadyOpenedError(TransitionError):
    """The opportunity has a history already and cannot be opened again."""


class StartStageError(TransitionError):
    """An opportunity starts at the first stage, unless the policy allows another."""


class StageOrderError(TransitionError):
    """A change that the order of the stages does not allow."""


class StepBackError(StageOrderError):
    """A step back, or one further back than the policy allows."""


class EarlyWinError(StageOrderError):
    """A win from before the last pre-sale stage."""


class ClosedError(TransitionError):
    """A change of an opportunity that is closed (in WON or LOST)."""


class ReopenError(TransitionError):
    """A reopening of what is not closed, that comes too late, or that leads to another state."""


class LossReasonError(TransitionError):
    """A loss without a reason, or with one that the funnel does not know."""


class TimeOrderError(TransitionError):
    """A change dated before the one that it follows."""


class RequiredFieldError(TransitionError):
    """A stage entered without the fields that it requires.

    Attributes
    ----------
    missing : tuple of str
        The required fields that have no value.
    """

    def __init__(
        self,
        problem: str,
        *,
        opportunity: Opportunity,
        asked: str | None,
        allowed: Sequence[str] = (),
        missing: Sequence[str] = (),
    ) -> None:
        self.missing = tuple(missing)
        super().__init__(problem, opportunity=opportunity, asked=asked, allowed=allowed)


class GuardError(TransitionError):
    """A change that a rule of the user's own (a guard) refused."""


class ObserverError(SalesFunnelError):
    """One or more observers failed after a change was accepted.

    The change itself is whole: `opportunity` is the value that the engine would have returned, and
    every observer was called.

    Attributes
    ----------
    opportunity : Opportunity
        The opportunity after the change.
    errors : tuple of Exception
        What the observers raised, in the order of the observers.
    """

    def __init__(self, opportunity: Opportunity, errors: Sequence[Exception]) -> None:
        self.opportunity = opportunity
        self.errors = tuple(errors)
        n_errors = len(self.errors)
        super().__init__(
            "opportunity {id!r} entered {stage!r}, but {failed} failed: {errors}. "
            "The change is complete; its value is this error's `.opportunity`",
            id=opportunity.id,
            stage=opportunity.stage,
            failed=Wording("1 observer" if n_errors == 1 else "{n} observers", n=n_errors),
            errors=Listed(
                (Wording("{kind}: {error}", kind=type(e).__name__, error=e) for e in self.errors),
                "; ",
            ),
        )


# ── leads and their scores ────────────────────────────────────────────────────────────────────────


class LeadStateError(SalesFunnelError):
    """A change of a lead that the rules of its states forbid; the lead stays as it was.

    Attributes
    ----------
    lead : Lead
        The lead, unchanged.
    state : str
        Where it is.
    asked : str
        The state that it was asked to come into.
    allowed : tuple of str
        The states that it may come into from here.
    """

    def __init__(
        self, problem: str, *, lead: Lead, state: str, asked: str, allowed: Sequence[str]
    ) -> None:
        self.lead = lead
        self.state = state
        self.asked = asked
        self.allowed = tuple(allowed)
        choices = Listed(map(repr, self.allowed))
        super().__init__(
            "lead {id!r} ({state}): {problem}; from here it may become {choices}",
            id=lead.id,
            state=state,
            problem=problem,
            choices=choices or Wording("nothing: it is an opportunity now"),
        )


class WeightError(DefinitionError):
    """Weights that make no score: not finite, or with a sum of zero or below."""


class UnknownCriterionError(SalesFunnelError, KeyError):
    """A criterion that the rubric does not have."""


class LevelError(SalesFunnelError, ValueError):
    """Evidence out of range: no number from 0 to 1, and none of the criterion's levels."""


class ShapeError(SalesFunnelError, ValueError):
    """An array of another shape than the one asked for."""


# ── data ──────────────────────────────────────────────────────────────────────────────────────────


class BadRow(NamedTuple):
    """One value that cannot be part of a log, and where it stands.

    `row` is what the source calls it: the line of a file's table as a spreadsheet numbers it (the
    header is row 1), or the index into the arrays given (the first is 0).
    """

    row: int
    column: str
    value: Any
    expected: str

    @property
    def words(self) -> Wording:
        """What it says, as it can be translated."""
        value = repr(self.value)
        if isinstance(self.value, Wording):
            value = Wording("'{words}'", words=self.value)
        elif len(value) > 80:
            value = value[:77] + "…" + value[-1]
        return Wording(
            "row {row}, {column}: {value}, expected {expected}",
            row=self.row,
            column=self.column,
            value=value,
            expected=self.expected,
        )

    def __str__(self) -> str:
        return str(self.words)


class DataError(SalesFunnelError, ValueError):
    """Data that cannot be a log: rows that cannot be entries, or a file that cannot be read at all.

    Attributes
    ----------
    rows : tuple of BadRow
        The first bad values, at most 20; empty where the whole source is at fault.
    more : int
        How many bad values there are beyond those.
    """

    shown = 20

    def __init__(
        self, problem: str, /, rows: Sequence[BadRow] = (), more: int = 0, **fields: object
    ) -> None:
        self.rows = tuple(rows)
        self.more = more
        if not (self.rows or more):
            super().__init__(problem, **fields)
            return
        lines = [Wording(problem, **fields) if fields else problem]
        lines += [Wording("  {row}", row=row.words) for row in self.rows]
        if more:
            lines.append(Wording("  … and {more:,} more", more=more))
        super().__init__(Listed(lines, "\n"))


class EmptyFileError(DataError):
    """A file without a header line."""


class MissingColumnError(DataError):
    """A table without a column that was asked for."""


class EncodingError(DataError):
    """A file that is neither UTF-8 nor GB18030 text."""


class TruncatedFileError(DataError):
    """A compressed file, or a quoted cell, that ends before its end."""


class FileFormatError(DataError):
    """A file that `save` did not write, of a newer version of the format, or changed since."""


class FileLimitError(DataError):
    """A file, or a line of one, that is larger than the limit; a larger one can be asked for."""


class IncompletePagesError(DataError):
    """Pages of a response that are not all there: the last one says that there are more."""


class NaiveTimeError(DataError):
    """Times without a zone, and no `tz=` to say which."""


class CurrencyError(DataError):
    """Amounts in several currencies, and no rates to make them one."""


class OutcomeError(DataError):
    """Outcomes that nothing can be told from: all equal, or none on one side of a split."""


class FeatureError(DataError):
    """Features that are not those of a model: another one, a level it has never seen, no number."""


class ConvergenceError(SalesFunnelError, ArithmeticError):
    """A fit that did not settle within the iterations that it was allowed."""


class UnknownAttributeError(SalesFunnelError, KeyError):
    """A `by=` or a column name that the log or table does not have."""


class MergeError(SalesFunnelError, ValueError):
    """Two aggregates that do not add: other states, groups' names, mode or instant of knowledge."""


class SizeError(SalesFunnelError, ValueError):
    """A result that would be larger than allowed, or a sum beyond 64-bit integers."""


class MissingExtraError(SalesFunnelError, ImportError):
    """An optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            "{feature} needs an optional dependency: pip install 'salesfunnel[{extra}]'",
            feature=feature,
            extra=extra,
        )
