"""Fit × behaviour: whether they suit us, and whether they are interested."""

from __future__ import annotations

from salesfunnel.scoring.criteria import Grade
from salesfunnel.scoring.grid import Grid
from salesfunnel.scoring.presets.making import NO, QUALIFY_AT, YES, criterion, level
from salesfunnel.scoring.rubric import Rubric


def fit_behaviour(*, unknown: str = "zero", half_life: str | None = "30d") -> Grid:
    """Return two rubrics beside each other: fit (匹配度) A to D, and behaviour (行为) 1 to 4.

    A lead is graded by both, from A1 to D4: who suits us and is interested, who suits us and is
    not (yet), who is interested and does not suit us. The score is the geometric mean of the two,
    so that neither makes up for want of the other; a lead qualifies from 60.

    Parameters
    ----------
    unknown : {"zero", "renormalise", "range"}
        What is not known yet counts as; see `Rubric`.
    half_life : str, optional
        After how long half of a behaviour counts as not known; None for never.

    Raises
    ------
    DefinitionError
        If an argument is not of this form.
    """
    fit = Rubric(
        (
            criterion(
                "industry",
                "Industry",
                "行业",
                "Which industry are they in?",
                "客户属于哪个行业？",
                level("other", 0, "Another", "其他行业"),
                level("near", 0.5, "Near to ours", "相近行业"),
                level("target", 1, "One of ours", "目标行业"),
            ),
            criterion(
                "company_size",
                "Company size",
                "企业规模",
                "How many people work there?",
                "企业有多少人？",
                level("too_small", 0, "Too small", "过小"),
                level("small", 0.4, "Small", "较小"),
                level("target", 1, "As we want it", "符合目标"),
            ),
            criterion(
                "role",
                "Role",
                "联系人职位",
                "What does our contact decide there?",
                "联系人在公司负责什么？",
                level("other", 0, "Another", "其他"),
                level("user", 0.4, "Would use it", "使用者"),
                level("manager", 0.7, "Leads those who would", "部门负责人"),
                level("decision_maker", 1, "Decides", "决策者"),
            ),
            criterion(
                "region",
                "Region",
                "区域",
                "Where are they?",
                "客户在哪个区域？",
                level("not_served", 0, "Not served", "不在服务范围"),
                level("by_partner", 0.6, "Served by a partner", "由伙伴服务"),
                level("served", 1, "Served", "在服务范围内"),
            ),
        ),
        grades=[Grade("A", 75), Grade("B", 50), Grade("C", 25), Grade("D", 0)],
        unknown=unknown,
        name="Fit",
        names={"en": "Fit", "zh": "匹配度"},
    )
    behaviour = Rubric(
        (
            criterion(
                "request",
                "Request",
                "主动咨询",
                "Have they asked for anything?",
                "客户是否主动提出需求？",
                level("none", 0, "None", "没有"),
                level("content", 0.3, "Asked for reading", "索取资料"),
                level("trial", 0.8, "Asked for a trial", "申请试用"),
                level("quotation", 1, "Asked for a price", "询价"),
                weight=4,
                half_life=half_life,
            ),
            criterion(
                "visits",
                "Visits",
                "网站访问",
                "Which of our pages do they read?",
                "客户浏览了哪些页面？",
                level("none", 0, "None", "没有"),
                level("some", 0.4, "Some", "一般页面"),
                level("pricing", 1, "Prices", "价格页面"),
                weight=2,
                half_life=half_life,
            ),
            criterion(
                "messages",
                "Messages",
                "消息互动",
                "Do they answer?",
                "客户是否回复消息？",
                level("ignored", 0, "Ignored", "未读"),
                level("opened", 0.4, "Opened", "已读"),
                level("answered", 1, "Answered", "已回复"),
                weight=2,
                half_life=half_life,
            ),
            criterion(
                "events",
                "Events",
                "活动",
                "Did they come to an event?",
                "客户是否参加过活动？",
                level("none", 0, "None", "没有"),
                level("registered", 0.4, "Registered", "已报名"),
                level("attended", 1, "Attended", "已参加"),
                weight=2,
                half_life=half_life,
            ),
            criterion(
                "unsubscribed",
                "Unsubscribed",
                "已退订",
                "Have they unsubscribed?",
                "客户是否已退订？",
                NO,
                YES,
                weight=-4,
            ),
        ),
        grades=[Grade("1", 75), Grade("2", 50), Grade("3", 25), Grade("4", 0)],
        unknown=unknown,
        name="Behaviour",
        names={"en": "Behaviour", "zh": "行为"},
    )
    return Grid(
        fit,
        behaviour,
        qualify_at=QUALIFY_AT,
        name="Fit × behaviour",
        names={"en": "Fit × behaviour", "zh": "匹配度 × 行为"},
    )
