"""Miller Heiman's strategic selling: buying influences, response modes, red flags."""

from __future__ import annotations

from collections.abc import Mapping

from salesfunnel.scoring.criteria import Criterion
from salesfunnel.scoring.presets.making import NO, YES, criterion, level, rubric
from salesfunnel.scoring.rubric import Rubric

_INFLUENCES = (
    # key, English, Chinese, what they do in English and in Chinese, weight; one buyer is economic,
    # of the others there may be several
    ("economic", "Economic buyer", "经济影响者", "releases the money", "掌握资金审批权", 3),
    ("user", "User buyers", "使用影响者", "will use it", "将实际使用产品", 2),
    ("technical", "Technical buyers", "技术影响者", "may rule us out", "负责技术把关", 2),
)
_MODES = (
    level("overconfident", 0, "Overconfident", "自负型"),
    level("even_keel", 0.2, "Even keel", "平稳型"),
    level("trouble", 0.9, "Trouble", "困境型"),
    level("growth", 1, "Growth", "增长型"),
)
_CONTACTS = (
    level("opposed", 0, "Against us", "反对我方"),
    level("identified", 0.2, "Identified", "已识别"),
    level("contacted", 0.5, "Contacted", "已接触"),
    level("supportive", 1, "For us", "支持我方"),
)
_RED_FLAGS = (
    # The five automatic ones.
    ("missing_information", "Missing information", "信息缺失"),
    ("uncertain_information", "Uncertain information", "信息不确定"),
    ("uncontacted_influence", "A buying influence not contacted", "有未接触的影响者"),
    ("new_influence", "A buying influence new to the job", "有新上任的影响者"),
    ("reorganisation", "Reorganisation", "客户正在重组"),
)


def strategic_selling(
    weights: Mapping[str, float] | None = None, *, unknown: str = "zero"
) -> Rubric:
    """Return a rubric after Miller Heiman's strategic selling (战略销售).

    Each of the buying influences (购买影响者), economic, user and technical, is asked for twice:
    how we stand with it, and its response mode (反应模式): growth and trouble see a gap and may
    buy, even keel and overconfident see none. To these come the coach (教练) and the win-results,
    what each of them gains in person. Red flags (红旗) take points away, about 7 each. A lead
    qualifies from 60 points. Parameters and errors are those of `bant`.

    Notes
    -----
    R. B. Miller and S. E. Heiman (1985), "Strategic Selling". The weights are this library's own.
    """
    criteria = [_contact(*influence) for influence in _INFLUENCES]
    criteria += [_response(*influence) for influence in _INFLUENCES]
    criteria += [
        criterion(
            "coach",
            "Coach",
            "教练",
            "Who there wants us to win, is believed, and tells us how?",
            "客户中谁希望我方赢单、受人信任并给我方指路？",
            level("none", 0, "Nobody", "没有"),
            level("candidate", 0.4, "Somebody may become one", "有合适人选"),
            level("coach", 1, "We have one", "已有教练"),
            weight=2,
        ),
        criterion(
            "win_results",
            "Win-results",
            "个人赢的结果",
            "What does each of the buying influences gain in person?",
            "每位影响者个人能得到什么？",
            level("none", 0, "Known of none", "均不了解"),
            level("some", 0.5, "Known of some", "部分了解"),
            level("all", 1, "Known of all", "全部了解"),
            weight=2,
        ),
    ]
    criteria += [_red_flag(*flag) for flag in _RED_FLAGS]
    return rubric(
        "Strategic selling", "战略销售（购买影响者、反应模式、红旗）", criteria, weights, unknown
    )


def _contact(key: str, en: str, zh: str, does_en: str, does_zh: str, weight: float) -> Criterion:
    return criterion(
        f"{key}_influence",
        en,
        zh,
        f"Who {does_en}, and how do we stand with them?",
        f"谁{does_zh}？我们与其关系如何？",
        *_CONTACTS,
        weight=weight,
    )


def _response(key: str, en: str, zh: str, _en: str, _zh: str, weight: float) -> Criterion:
    do = "Do" if en.endswith("s") else "Does"
    return criterion(
        f"{key}_response",
        f"Response mode: {en.lower()}",
        f"{zh}的反应模式",
        f"{do} the {en.lower()} see a gap between what is and what should be?",
        f"{zh}是否认为现状与目标有差距？",
        *_MODES,
        weight=weight / 2,
    )


def _red_flag(key: str, en: str, zh: str) -> Criterion:
    return criterion(
        key, f"Red flag: {en.lower()}", f"红旗：{zh}", f"{en}?", f"{zh}？", NO, YES, weight=-1
    )
