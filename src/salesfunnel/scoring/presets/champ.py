"""CHAMP: challenges, authority, money, prioritisation."""

from __future__ import annotations

from collections.abc import Mapping

from salesfunnel.scoring.presets.making import criterion, level, rubric
from salesfunnel.scoring.rubric import Rubric


def champ(weights: Mapping[str, float] | None = None, *, unknown: str = "zero") -> Rubric:
    """Return CHAMP: challenges, authority, money, prioritisation (挑战、决策权、资金、优先级).

    BANT the other way round: the customer's problem comes first, and has the largest weight. A lead
    qualifies from 60 points. Parameters and errors are those of `bant`.
    """
    criteria = (
        criterion(
            "challenges",
            "Challenges",
            "挑战",
            "What problem do they want to be rid of?",
            "客户想解决什么问题？",
            level("none", 0, "None told", "未提及"),
            level("vague", 0.3, "Vague", "不明确"),
            level("clear", 0.7, "Clear", "明确"),
            level("costly", 1, "Clear, and what it costs", "明确且损失可量化"),
            weight=2,
        ),
        criterion(
            "authority",
            "Authority",
            "决策权",
            "Who takes part in the decision?",
            "哪些人参与决策？",
            level("unidentified", 0, "Not identified", "尚未了解"),
            level("mapped", 0.4, "The people are known", "已了解决策链"),
            level("influencer", 0.7, "With an influencer", "接触到影响者"),
            level("decision_maker", 1, "With the decision-maker", "接触到决策者"),
        ),
        criterion(
            "money",
            "Money",
            "资金",
            "What may it cost, and where does the money come from?",
            "可接受的投入是多少？资金从哪里来？",
            level("none", 0, "None", "没有"),
            level("findable", 0.5, "Can be found", "可以筹措"),
            level("planned", 0.8, "Planned", "已列入计划"),
            level("approved", 1, "Approved", "已批准"),
        ),
        criterion(
            "prioritisation",
            "Prioritisation",
            "优先级",
            "Where does this stand among their plans, and when must it start?",
            "这件事在客户的计划中排第几？什么时候要启动？",
            level("someday", 0, "Some day", "以后再说"),
            level("this_year", 0.4, "This year", "今年内"),
            level("next", 0.7, "Among the next", "近期重点"),
            level("first", 1, "First of all", "首要事项"),
        ),
    )
    return rubric("CHAMP", "CHAMP（挑战、决策权、资金、优先级）", criteria, weights, unknown)
