"""MEDDIC: metrics, economic buyer, decision criteria, decision process, pain, champion."""

from __future__ import annotations

from collections.abc import Mapping

from salesfunnel.scoring.presets.making import criterion, level, rubric
from salesfunnel.scoring.rubric import Rubric


def meddic(weights: Mapping[str, float] | None = None, *, unknown: str = "zero") -> Rubric:
    """Return MEDDIC, for large sales: six questions of equal weight.

    Metrics, economic buyer, decision criteria, decision process, identified pain, champion
    (量化指标、经济决策者、决策标准、决策流程、痛点、内部支持者), as asked at PTC since the 1990s.
    A lead qualifies from 60 points. Parameters and errors are those of `bant`.
    """
    criteria = (
        criterion(
            "metrics",
            "Metrics",
            "量化指标",
            "What is it worth to them, in numbers that they agree with?",
            "客户认可的量化收益是多少？",
            level("none", 0, "None", "没有"),
            level("ours", 0.4, "Ours alone", "只是我方测算"),
            level("shared", 0.7, "Discussed", "已与客户讨论"),
            level("agreed", 1, "Agreed", "客户已认可"),
        ),
        criterion(
            "economic_buyer",
            "Economic buyer",
            "经济决策者",
            "Who can say yes when all others say no, and have we spoken with them?",
            "谁能最终拍板？我们是否已与其沟通？",
            level("unidentified", 0, "Not identified", "尚未找到"),
            level("identified", 0.3, "Identified", "已找到"),
            level("met", 0.7, "Met", "已见面"),
            level("supports", 1, "In favour", "已支持我方"),
        ),
        criterion(
            "decision_criteria",
            "Decision criteria",
            "决策标准",
            "By what will they compare the offers?",
            "客户按什么标准比较各家方案？",
            level("none", 0, "Not known", "尚未了解"),
            level("known", 0.5, "Known", "已了解"),
            level("written", 0.8, "In writing", "已有书面标准"),
            level("in_our_favour", 1, "In our favour", "对我方有利"),
        ),
        criterion(
            "decision_process",
            "Decision process",
            "决策流程",
            "Which steps lead to a signature, who takes them, and when?",
            "到签约还有哪些步骤？由谁在什么时候完成？",
            level("none", 0, "Not known", "尚未了解"),
            level("outlined", 0.4, "In outline", "大致了解"),
            level("known", 0.7, "Steps and people known", "步骤和人员已明确"),
            level("agreed", 1, "Agreed, with dates", "已约定时间表"),
        ),
        criterion(
            "identified_pain",
            "Identified pain",
            "痛点",
            "What hurts, whom, and what happens if nothing is done?",
            "痛点是什么？影响谁？不解决会怎样？",
            level("none", 0, "None", "没有"),
            level("suspected", 0.3, "We suspect it", "我方推测"),
            level("admitted", 0.7, "They say so", "客户已承认"),
            level("urgent", 1, "It must be ended soon", "亟待解决"),
        ),
        criterion(
            "champion",
            "Champion",
            "内部支持者",
            "Who sells for us when we are not there, and how much is their word worth?",
            "谁在客户内部替我方推动？其影响力如何？",
            level("none", 0, "Nobody", "没有"),
            level("contact", 0.3, "A friendly contact", "有友好联系人"),
            level("coach", 0.6, "Tells us how things stand", "能提供内部信息"),
            level("champion", 1, "Sells for us, and is heard", "有影响力并积极推动"),
        ),
    )
    return rubric("MEDDIC", "MEDDIC（大客户商机评估）", criteria, weights, unknown)
