"""BANT: budget, authority, need, timeline."""

from __future__ import annotations

from collections.abc import Mapping

from salesfunnel.scoring.presets.making import criterion, level, rubric
from salesfunnel.scoring.rubric import Rubric


def bant(weights: Mapping[str, float] | None = None, *, unknown: str = "zero") -> Rubric:
    """Return BANT: budget, authority, need, timeline (预算、决策者、需求、时间).

    The four questions of IBM's sellers, of equal weight. A lead qualifies from 60 points.

    Parameters
    ----------
    weights : mapping of str to float, optional
        Other weights, by criterion.
    unknown : {"zero", "renormalise", "range"}
        What is not known yet counts as; see `Rubric`.

    Raises
    ------
    UnknownCriterionError, WeightError, DefinitionError
        If an argument is not of this form.

    Examples
    --------
    >>> from salesfunnel.model.lead import Lead
    >>> lead = Lead("L-1", evidence={"budget": "approved", "need": "urgent"})
    >>> found = bant().score_lead(lead)
    >>> found.score, found.grade, found.low, found.high
    (50.0, 'C', 50.0, 100.0)
    """
    criteria = (
        criterion(
            "budget",
            "Budget",
            "预算",
            "Is there a budget, and who has approved it?",
            "预算是否已落实？由谁审批？",
            level("none", 0, "None", "没有"),
            level("considered", 0.3, "Being considered", "正在考虑"),
            level("planned", 0.6, "Planned", "已列入计划"),
            level("approved", 1, "Approved", "已批准"),
        ),
        criterion(
            "authority",
            "Authority",
            "决策者",
            "Who decides, and have we spoken with them?",
            "谁来决策？我们是否已接触到决策者？",
            level("unidentified", 0, "Not identified", "尚未找到"),
            level("user", 0.3, "With a user", "接触到使用者"),
            level("influencer", 0.6, "With an influencer", "接触到影响者"),
            level("decision_maker", 1, "With the decision-maker", "接触到决策者"),
        ),
        criterion(
            "need",
            "Need",
            "需求",
            "What has to be solved, and what does it cost not to?",
            "要解决什么问题？不解决会有多大损失？",
            level("no_need", 0, "No need", "没有需求"),
            level("interest", 0.3, "Interest", "有兴趣"),
            level("clear", 0.7, "Clear", "需求明确"),
            level("urgent", 1, "Urgent", "需求迫切"),
        ),
        criterion(
            "timeline",
            "Timeline",
            "时间",
            "When is the decision, and when must it be in use?",
            "什么时候决策？最晚什么时候要用上？",
            level("no_plan", 0, "No plan", "没有计划"),
            level("within_a_year", 0.3, "Within a year", "一年内"),
            level("within_six_months", 0.6, "Within six months", "半年内"),
            level("within_three_months", 1, "Within three months", "三个月内"),
        ),
    )
    return rubric("BANT", "BANT（预算、决策者、需求、时间）", criteria, weights, unknown)
