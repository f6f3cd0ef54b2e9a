"""Ready-made funnels: the standard one, the defaults of two CRMs, and three industries.

The probabilities of the three industries are starting values, in the order of magnitude that each
way of selling has; replace them by the rates of your own log, as in
``funnel.replace("demo", probability=0.24)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from salesfunnel.model.funnel import Funnel
from salesfunnel.model.reasons import LOSS_REASONS, reason
from salesfunnel.model.stage import LossReason, Stage


def _stage(key: str, en: str, zh: str, probability: float, **values: Any) -> Stage:
    return Stage(key, en, names={"en": en, "zh": zh}, probability=probability, **values)


def _forecast_stage(key: str, en: str, zh: str, probability: float, **values: Any) -> Stage:
    """Return a stage that a forecast counts by its probability: an even chance is the best case."""
    limits = (("pipeline", 0.5), ("best_case", 0.75), ("commit", 1.0))
    category = next((name for name, limit in limits if probability < limit), "closed")
    return _stage(key, en, zh, probability, forecast_category=category, **values)


def _shared_reasons(*keys: str) -> tuple[LossReason, ...]:
    return tuple(shared for shared in LOSS_REASONS if shared.key in keys)


def standard() -> Funnel:
    """Return the standard funnel: companies that sell a solution to other companies.

    Seven stages from lead identification to after-sales service. Their targets are the published
    rates of the reference table, whose stages these are; a stage requires nothing until the company
    says so.
    """
    before_the_sale = (
        # key, English, Chinese, maximum age, target conversion, target loss
        ("lead_identification", "Lead identification", "潜在客户识别", "30d", 0.30, 0.10),
        ("initial_contact", "Initial contact", "初步接触", "14d", 0.40, 0.15),
        ("needs_analysis", "Needs analysis", "需求分析", "30d", 0.50, 0.20),
        ("solution_design", "Solution design", "方案制定", "30d", 0.60, 0.15),
        ("quotation_negotiation", "Quotation and negotiation", "报价与谈判", "21d", 0.70, 0.10),
        ("contract_signing", "Contract signing", "合同签订", "14d", 0.80, 0.05),
    )
    conversions = [row[4] for row in before_the_sale]
    stages = [
        _forecast_stage(
            key,
            en,
            zh,
            # Where the targets are met, this is the chance of winning from here: the product of the
            # conversions that still lie ahead. Two digits, for targets are no more exact than that.
            round(prod(conversions[place:]), 2),
            max_age=max_age,
            target_conversion=conversion,
            target_loss=loss,
        )
        for place, (key, en, zh, max_age, conversion, loss) in enumerate(before_the_sale)
    ]
    service = _forecast_stage(
        "after_sales_service",
        "After-sales service",
        "售后服务",
        1.0,
        target_conversion=0.90,
        post_sale=True,
    )
    return Funnel([*stages, service], LOSS_REASONS, name="Standard")


def salesforce() -> Funnel:
    """Return the opportunity stages that a new Salesforce Sales Cloud organisation has.

    The keys are the stages as the CRM writes them; its "Closed Won" and "Closed Lost" are the
    states ``won`` and ``lost``. Probabilities and forecast categories are the delivered ones, found
    alike in the ``OpportunityStage`` standard value set of organisations that never changed theirs:
    every open stage counts as Pipeline until an administrator says otherwise.
    """
    delivered = (
        ("Prospecting", "潜在客户发掘", 0.10),
        ("Qualification", "资格认证", 0.10),
        ("Needs Analysis", "需求分析", 0.20),
        ("Value Proposition", "价值主张", 0.50),
        ("Id. Decision Makers", "确定决策者", 0.60),
        ("Perception Analysis", "认知分析", 0.70),
        ("Proposal/Price Quote", "方案/报价", 0.75),
        ("Negotiation/Review", "谈判/审核", 0.90),
    )
    stages = [
        _stage(key, key, zh, probability, forecast_category="pipeline")
        for key, zh, probability in delivered
    ]
    return Funnel(stages, LOSS_REASONS, name="Salesforce")


def hubspot() -> Funnel:
    """Return the stages of the default sales pipeline of a HubSpot account.

    The keys are the internal ids that its API returns; ``closedwon`` and ``closedlost`` are the
    states ``won`` and ``lost``. Labels and probabilities are the delivered ones (``GET
    /crm/v3/pipelines/deals``, pipeline ``default``).
    """
    stages = (
        _stage("appointmentscheduled", "Appointment Scheduled", "已预约会面", 0.2),
        _stage("qualifiedtobuy", "Qualified To Buy", "已确认购买资格", 0.4),
        _stage("presentationscheduled", "Presentation Scheduled", "已安排演示", 0.6),
        _stage("decisionmakerboughtin", "Decision Maker Bought-In", "决策者已认可", 0.8),
        _stage("contractsent", "Contract Sent", "合同已发送", 0.9),
    )
    return Funnel(stages, LOSS_REASONS, name="HubSpot")


def saas() -> Funnel:
    """Return a funnel for software subscriptions, sold to companies.

    The customer tries the product before anyone talks of price, security and legal review is a step
    of its own, and the signature is where earning begins: onboarding, adoption and renewal follow
    the sale, and whoever leaves in one of them has churned. The stages are those common to
    published accounts of subscription selling (discovery, demo, evaluation, proposal, agreement;
    then onboarding and renewal).
    """
    stages = (
        _forecast_stage("discovery", "Discovery", "需求挖掘", 0.10, max_age="14d"),
        _forecast_stage("demo", "Demo", "产品演示", 0.20, max_age="14d", required=("contact",)),
        _forecast_stage("trial", "Trial", "试用", 0.35, max_age="30d"),
        _forecast_stage(
            "proposal",
            "Proposal",
            "方案报价",
            0.50,
            max_age="21d",
            required=("amount", "currency"),
        ),
        _forecast_stage(
            "security_legal_review",
            "Security and legal review",
            "安全与法务审核",
            0.75,
            max_age="30d",
            required=("expected_close",),
        ),
        _forecast_stage("onboarding", "Onboarding", "上线实施", 1.0, post_sale=True),
        _forecast_stage("adoption", "Adoption", "持续使用", 1.0, post_sale=True),
        _forecast_stage("renewal", "Renewal", "续约", 1.0, post_sale=True),
    )
    reasons = (
        *LOSS_REASONS[:-1],
        reason("failed_trial", "product", "Trial did not convince", "试用效果不佳"),
        reason("security_requirements", "product", "Security requirements", "安全合规不满足"),
        reason("low_usage", "after_sale", "Hardly used", "使用率低"),
        *LOSS_REASONS[-1:],
    )
    return Funnel(stages, reasons, name="Software subscription")


def tender() -> Funnel:
    """Return a funnel for tenders: engineering, construction, public procurement (项目投标).

    The buyer sets the steps and their dates, nothing is negotiated once the bid is handed in, one
    bidder wins, and the seller's own decision is whether to bid at all. The stages are the phases
    of a tender seen from the bidder's side (prequalification, bid period, evaluation and award,
    contract signature: APMG PPP Certification Guide, "Tendering and Awarding the Contract";
    《招标投标法》), with the project's delivery, acceptance and warranty after it.
    ``tender_number`` and ``bid_deadline`` are free fields of the opportunity.
    """
    stages = (
        _forecast_stage("project_tracking", "Project tracking", "项目跟踪", 0.05, max_age="180d"),
        _forecast_stage(
            "bid_decision",
            "Bid decision",
            "投标立项",
            0.10,
            max_age="14d",
            required=("customer", "tender_number", "bid_deadline"),
        ),
        _forecast_stage("prequalification", "Prequalification", "资格预审", 0.15, max_age="30d"),
        _forecast_stage("bid_preparation", "Bid preparation", "标书编制", 0.20, max_age="45d"),
        _forecast_stage(
            "bid_submitted",
            "Bid submitted",
            "递交投标文件",
            0.25,
            max_age="30d",
            required=("amount", "currency"),
        ),
        _forecast_stage("evaluation", "Evaluation", "开标评标", 0.30, max_age="45d"),
        _forecast_stage("award", "Award", "中标公示", 0.90, max_age="30d"),
        _forecast_stage("contract_signing", "Contract signing", "合同签订", 0.95, max_age="30d"),
        _forecast_stage("delivery", "Delivery", "项目实施", 1.0, post_sale=True),
        _forecast_stage("acceptance", "Acceptance", "竣工验收", 1.0, post_sale=True),
        _forecast_stage("warranty", "Warranty", "质保服务", 1.0, post_sale=True),
    )
    reasons = (
        *_shared_reasons(
            "price",
            "budget",
            "contract_terms",
            "competitor",
            "delivery_time",
            "project_cancelled",
            "relationship",
            "duplicate",
            "service_quality",
        ),
        reason("technical_score", "product", "Technical score too low", "技术评分低"),
        reason("not_prequalified", "selling", "Not prequalified", "资格预审未通过"),
        reason("bid_rejected", "selling", "Bid rejected on formal grounds", "废标"),
        reason("no_bid", "selling", "Decided not to bid", "放弃投标"),
        reason("contract_terminated", "after_sale", "Contract terminated", "合同终止"),
        *_shared_reasons("other"),
    )
    return Funnel(stages, reasons, name="Tender")


def car_dealer() -> Funnel:
    """Return a funnel for a showroom that sells to consumers: a car dealer (汽车4S店).

    One person decides within days, the visit and the test drive are what sells, financing and the
    old car are part of the price, and the order with its deposit is the sale, weeks before the
    delivery. The stages are those that dealers count: lead, appointment, visit, test drive, deal,
    delivery.
    """
    stages = (
        _forecast_stage("inquiry", "Inquiry", "线索", 0.05, max_age="3d"),
        _forecast_stage(
            "appointment",
            "Appointment",
            "邀约到店",
            0.10,
            max_age="7d",
            required=("contact",),
        ),
        _forecast_stage("showroom_visit", "Showroom visit", "到店接待", 0.20, max_age="7d"),
        _forecast_stage("test_drive", "Test drive", "试乘试驾", 0.35, max_age="7d"),
        _forecast_stage(
            "quotation",
            "Quotation",
            "报价议价",
            0.50,
            max_age="7d",
            required=("product", "amount", "currency"),
        ),
        _forecast_stage("order_signing", "Order signing", "签订订单", 0.85, max_age="7d"),
        _forecast_stage("delivery", "Delivery", "交车", 1.0, post_sale=True),
        _forecast_stage("maintenance", "Maintenance", "售后维保", 1.0, post_sale=True),
    )
    reasons = (
        *_shared_reasons(
            "price",
            "budget",
            "competitor",
            "delivery_time",
            "no_need",
            "timing",
            "slow_response",
            "unresponsive",
            "invalid_contact",
            "duplicate",
            "service_quality",
        ),
        reason("financing_declined", "commercial", "Financing declined", "贷款未获批"),
        reason("trade_in", "commercial", "Trade-in value", "旧车置换未谈拢"),
        reason("not_available", "product", "Model not available", "无现车"),
        reason("order_cancelled", "after_sale", "Order cancelled", "退订"),
        *_shared_reasons("other"),
    )
    return Funnel(stages, reasons, name="Car dealer")


PRESETS: Mapping[str, Callable[[], Funnel]] = {
    "standard": standard,
    "salesforce": salesforce,
    "hubspot": hubspot,
    "saas": saas,
    "tender": tender,
    "car_dealer": car_dealer,
}
"""The names that `Funnel.preset` knows, each with the function that makes its funnel."""
