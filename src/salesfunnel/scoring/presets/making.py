"""How the ready-made rubrics are written down: with names in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from salesfunnel.scoring.criteria import Criterion, Level
from salesfunnel.scoring.rubric import Rubric

QUALIFY_AT = 60


def level(key: str, value: float, en: str, zh: str) -> Level:
    """Return a level with its names in English and Chinese."""
    return Level(key, value, name=en, names={"en": en, "zh": zh})


NO, YES = level("no", 0, "No", "否"), level("yes", 1, "Yes", "是")


def criterion(
    key: str,
    en: str,
    zh: str,
    ask_en: str,
    ask_zh: str,
    *levels: Level,
    weight: float = 1,
    half_life: str | None = None,
) -> Criterion:
    """Return a criterion with its names and its question in English and Chinese."""
    return Criterion(
        key,
        weight,
        levels,
        half_life=half_life,
        name=en,
        names={"en": en, "zh": zh},
        question=ask_en,
        questions={"en": ask_en, "zh": ask_zh},
    )


def rubric(
    en: str,
    zh: str,
    criteria: Iterable[Criterion],
    weights: Mapping[str, float] | None,
    unknown: str,
) -> Rubric:
    """Return a rubric with its name in English and Chinese, with other weights where given."""
    made = Rubric(
        criteria, unknown=unknown, qualify_at=QUALIFY_AT, name=en, names={"en": en, "zh": zh}
    )
    return made if weights is None else made.with_weights(weights)
