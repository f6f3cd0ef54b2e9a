"""Guesses at what the columns and the stages of a source mean, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from salesfunnel.columns.files import MAX_BYTES, MAX_LINE, Limits
from salesfunnel.columns.rawtable import RawTable
from salesfunnel.columns.source import ARROW, JSON, JSON_LINES, in_batches
from salesfunnel.errors import DefinitionError
from salesfunnel.log.samples import Sample, samples_of
from salesfunnel.log.stagenames import StageNames
from salesfunnel.log.synonyms import ATTRIBUTES, COLUMNS, EDITED, plain_name
from salesfunnel.model.funnel import Funnel
from salesfunnel.table import Column, Phrase, Table
from salesfunnel.wording import Wording

_HISTORY, _CURRENT = ("stage", "entered_at"), ("stage", "created", "closed")
_TIMES = ("entered_at", "created", "closed")


class Guess(NamedTuple):
    """What a column, or a name of a stage, may mean.

    Attributes
    ----------
    argument : str
        The argument of a reader that it belongs to: ``opportunity``, ``attributes``, ``stage_map``.
    name : str
        The column, or the name of the stage, as the source has it.
    meaning : str
        The name of the attribute, or the key of the state; else the argument again.
    why : Phrase
    """

    argument: str
    name: str
    meaning: str
    why: Phrase


@attrs.frozen(repr=False)
class Suggestion:
    """What a source seems to be, and why; nothing of it is applied until you say so.

    Attributes
    ----------
    reader : str
        Which reader fits: ``"read_current"``, ``"read_wide"``, or ``"from_frame"``, ``"read_csv"``
        and so on for a row for each entry.
    arguments : dict
        What to give it: ``sf.read_csv(path, funnel, **suggestion.arguments)``.
    guesses : tuple of Guess
    unknown : tuple of str
        Names of stages that nothing was found for.
    questions : tuple of Phrase
        What the source leaves open, and must be answered.
    """

    reader: str
    arguments: Mapping[str, Any]
    guesses: tuple[Guess, ...]
    unknown: tuple[str, ...]
    questions: tuple[Phrase, ...]

    @property
    def table(self) -> Table:
        """The guesses with their reasons; below it, what is left open."""
        whys = {guess.why.text("en"): guess.why for guess in self.guesses}
        return Table(
            [
                Column("argument", _texts(guess.argument for guess in self.guesses)),
                Column("name", _texts(guess.name for guess in self.guesses)),
                Column("meaning", _texts(guess.meaning for guess in self.guesses)),
                Column(
                    "why",
                    _texts(guess.why.text("en") for guess in self.guesses),
                    labels=lambda text, lang: whys[text].text(lang),
                ),
            ],
            title=Phrase("title.suggestion", {"reader": self.reader}),
            notes=self.questions,
        )

    def to_text(self, lang: str | None = None) -> str:
        """Return the guesses and their reasons as text."""
        return self.table.to_text(lang)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"Suggestion({self.reader}, {dict(self.arguments)})"

    def _repr_html_(self) -> str:
        return self.table.to_html()


def suggest_mapping(
    source: Any,
    funnel: Funnel | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    max_line: int = MAX_LINE,
) -> Suggestion:
    """Return guesses at what the columns and the stages of a source mean, and why.

    Columns are known by their headers, in English and Chinese, if what is in them agrees; stages by
    the names that the funnel gives them, by those that they have in common CRMs, or by names that
    are almost the same. Columns that say when a row was last modified are never taken for a time of
    entry. Of a large file only the beginning is looked at, and a question says so.

    Parameters
    ----------
    source : path, dataframe, list of records, or a list of any of them
        As `read_current` takes it.
    funnel : Funnel, optional
        By default the standard one.
    max_bytes, max_line : int
        As in `read_csv`.

    Returns
    -------
    Suggestion

    Raises
    ------
    OSError, DataError, DefinitionError, MissingExtraError
        If the source cannot be read at all, as in `read_current`.

    Examples
    --------
    >>> rows = [{"商机编号": "A", "商机阶段": "线索", "进入时间": "2026-01-05", "负责人": "李娜"}]
    >>> found = suggest_mapping(rows)
    >>> found.reader
    'from_frame'
    >>> found.arguments["opportunity"], found.arguments["stage_map"]
    ('商机编号', {'线索': 'lead_identification'})
    """
    funnel = Funnel.standard() if funnel is None else funnel
    if not isinstance(funnel, Funnel):
        raise DefinitionError("funnel= is a Funnel, not {funnel!r}", funnel=funnel)
    table, is_whole = in_batches(
        source, Wording("the table"), _beginning, limits=Limits(max_bytes, max_line)
    )
    samples = samples_of(table)
    names = StageNames(funnel)
    edited = [
        name
        for name, sample in samples.items()
        if any(word in plain_name(name) for word in EDITED) and sample.is_time
    ]
    wide = _wide(samples, names, edited)
    columns = _columns(samples, names, {*edited, *(guess.name for guess in wide)})

    own: tuple[str, ...] = ()
    if wide:
        reader, times = "read_wide", [guess.name for guess in wide]
    else:
        reader, own = _kind(source, samples, columns)
        if own == _HISTORY and "entered_at" not in columns and "created" in columns:
            columns["entered_at"] = columns["created"]._replace(
                argument="entered_at", meaning="entered_at"
            )
        times = [columns[name].name for name in own[1:] if name in columns]
    kept = [columns[name] for name in ("opportunity", *own) if name in columns]
    rest = set(COLUMNS) - {"opportunity", "stage", *_TIMES}
    kept += [*wide, *(guess for name, guess in columns.items() if name in rest)]
    stages: list[Guess] = []
    unknown: list[str] = []
    if "stage" in own and "stage" in columns:
        stages, unknown = _stages(samples[columns["stage"].name], names)

    arguments: dict[str, Any] = {}
    for guess in (*kept, *stages):
        if guess.argument in ("attributes", "stages"):
            arguments.setdefault(guess.argument, {})[guess.meaning] = guess.name
        elif guess.argument == "stage_map":
            arguments.setdefault("stage_map", {})[guess.name] = guess.meaning
        else:
            arguments[guess.argument] = guess.name
    questions = [
        Phrase("note.suggest_no_column", {"argument": argument})
        for argument in ("opportunity", *own)
        if argument not in columns
    ]
    form, left_open = _form_of_times(samples, times)
    if form is not None:
        arguments["date_format"] = form
    questions += left_open
    if unknown:
        questions.append(Phrase("note.suggest_unknown", {"names": ", ".join(unknown)}))
    if not is_whole:
        questions.append(Phrase("note.suggest_beginning", {"rows": len(table.numbers)}))
    if edited:
        questions.append(Phrase("note.suggest_edited", {"columns": ", ".join(edited)}))
    return Suggestion(reader, arguments, (*kept, *stages), tuple(unknown), tuple(questions))


def _beginning(batches: Iterator[RawTable]) -> tuple[RawTable, bool]:
    """Return the first batch, and whether it is all that there is."""
    return next(batches), next(batches, None) is None


# ── columns ───────────────────────────────────────────────────────────────────────────────────────


def _wide(samples: Mapping[str, Sample], names: StageNames, edited: Iterable[str]) -> list[Guess]:
    """Return the columns of dates that are called as states are; none unless there are several."""
    found: dict[str, Guess] = {}
    for name, sample in samples.items():
        meaning = names.meaning(name)
        if meaning is not None and name not in edited and sample.is_time:
            key, why = meaning
            found.setdefault(key, Guess("stages", name, key, why))
    return list(found.values()) if len(found) > 1 else []


def _columns(samples: Mapping[str, Sample], names: StageNames, taken: set[str]) -> dict[str, Guess]:
    """Return the column of each thing that there is one for."""
    columns: dict[str, Guess] = {}
    free = {name: plain_name(name) for name in samples if name not in taken}
    # A column that is called as something else is is not taken for a part of its name.
    for rank, why in ((_whole, "value.why_header"), (_part, "value.why_header_part")):
        for field, synonyms in COLUMNS.items():
            places = [
                (place, name)
                for name, plain in free.items()
                if field not in columns
                and (place := rank(plain, synonyms)) is not None
                and _may_be(field, samples[name])
            ]
            if places:
                place, name = min(places, key=lambda found: found[0])
                del free[name]
                columns[field] = _guess(field, name, Phrase(why, {"match": synonyms[place]}))
    if "stage" not in columns and (named := _by_values(samples, free, names)) is not None:
        columns["stage"] = _guess("stage", named, Phrase("value.why_values"))
    return {field: columns[field] for field in COLUMNS if field in columns}


def _guess(field: str, name: str, why: Phrase) -> Guess:
    return Guess("attributes" if field in ATTRIBUTES else field, name, field, why)


def _whole(plain: str, synonyms: tuple[str, ...]) -> int | None:
    """Return which synonym a name is."""
    return synonyms.index(plain) if plain in synonyms else None


def _part(plain: str, synonyms: tuple[str, ...]) -> int | None:
    """Return which synonym a name has in it."""
    for place, synonym in enumerate(synonyms):
        if synonym.isascii():
            if len(synonym) > 4 and f" {synonym} " in f" {plain} ":
                return place
        elif len(synonym) > 1 and synonym in plain:
            return place
    return None


def _may_be(field: str, sample: Sample) -> bool:
    """Return whether what is in a column agrees with what it is called."""
    if field in _TIMES:
        return sample.is_time
    if field in ("amount", "order"):
        return sample.is_number
    return field == "reason" or len(sample.texts) > 0


def _by_values(samples: Mapping[str, Sample], free: Iterable[str], names: StageNames) -> str | None:
    """Return the first column whose values are mostly names of states."""
    for name in free:
        distinct = samples[name].distinct()
        known = [value for value in distinct if names.meaning(value) is not None]
        if distinct and 2 * len(known) > len(distinct):
            return name
    return None


def _kind(
    source: Any, samples: Mapping[str, Sample], columns: Mapping[str, Guess]
) -> tuple[str, tuple[str, ...]]:
    """Return which reader fits, and what its own columns are."""
    one_each = "opportunity" in columns and samples[columns["opportunity"].name].is_unique
    if one_each and "created" in columns and "entered_at" not in columns:
        return "read_current", _CURRENT
    if not isinstance(source, (str, PurePath)):
        return "from_frame", _HISTORY
    endings = {suffix.lower() for suffix in PurePath(source).suffixes}
    if endings & {*ARROW}:
        return "read_parquet", _HISTORY
    return ("read_jsonl" if endings & {*JSON, *JSON_LINES} else "read_csv"), _HISTORY


# ── stages and times ──────────────────────────────────────────────────────────────────────────────


def _stages(sample: Sample, names: StageNames) -> tuple[list[Guess], list[str]]:
    """Return what names of stages may mean that the readers do not know, and the others."""
    guesses: list[Guess] = []
    unknown: list[str] = []
    for name in sample.distinct():
        if names.is_known(name):
            continue
        meaning = names.meaning(name)
        if meaning is None:
            unknown.append(name)
        else:
            guesses.append(Guess("stage_map", name, *meaning))
    return guesses, unknown


def _form_of_times(
    samples: Mapping[str, Sample], columns: Iterable[str]
) -> tuple[str | None, list[Phrase]]:
    """Return the `date_format` of columns of times, and what they leave open."""
    questions: list[Phrase] = []
    texts = [samples[name] for name in columns if samples[name].texts]
    fitting = [set(sample.forms) for sample in texts if sample.forms]
    forms = set.intersection(*fitting) if fitting else {None}
    form = None if None in forms or len(forms) != 1 else forms.pop()
    if None not in forms and len(forms) > 1:
        listing = ", ".join(sorted(map(str, forms)))
        questions.append(Phrase("note.suggest_form", {"forms": listing}))
    if any(samples[name].is_naive for name in columns):
        questions.append(Phrase("note.suggest_zone"))
    return form, questions


def _texts(values: Iterable[str]) -> NDArray[Any]:
    return np.array([*values, None], object)[:-1]
