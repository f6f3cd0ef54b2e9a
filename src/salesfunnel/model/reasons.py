"""Why opportunities are lost: the reasons that the ready-made funnels share.

The headings follow those of published win/loss coding schemes (commercial terms, competition,
product fit, the customer's own situation, how the seller worked), to which two are added that keep
such statistics honest: leads that never were opportunities, and customers who left after they had
bought.
"""

from __future__ import annotations

from salesfunnel.model.stage import LossReason


def reason(key: str, category: str, en: str, zh: str) -> LossReason:
    """Return a loss reason with its names in English and Chinese."""
    return LossReason(key, en, names={"en": en, "zh": zh}, category=category)


LOSS_REASONS = (
    reason("price", "commercial", "Price too high", "价格过高"),
    reason("budget", "commercial", "No budget", "预算不足"),
    reason("contract_terms", "commercial", "Contract terms", "合同条款未达成一致"),
    reason("competitor", "competition", "Lost to a competitor", "选择竞争对手"),
    reason("incumbent", "competition", "Stayed with present supplier", "沿用现有供应商"),
    reason("in_house", "competition", "Built in-house", "客户自建"),
    reason("missing_feature", "product", "Missing feature", "功能不满足"),
    reason("delivery_time", "product", "Delivery time", "交付周期不满足"),
    reason("no_need", "customer", "No need", "无真实需求"),
    reason("timing", "customer", "Wrong time", "时机未到"),
    reason("no_decision", "customer", "No decision", "客户未做决策"),
    reason("project_cancelled", "customer", "Project cancelled", "项目取消"),
    reason("no_authority", "selling", "Decision-maker not reached", "未接触到决策人"),
    reason("relationship", "selling", "Weak relationship", "客户关系不足"),
    reason("slow_response", "selling", "Followed up too slowly", "跟进不及时"),
    reason("unresponsive", "selling", "Customer stopped responding", "客户失联"),
    reason("unqualified", "lead_quality", "Not a target customer", "不符合目标客户"),
    reason("invalid_contact", "lead_quality", "Invalid contact details", "联系信息无效"),
    reason("duplicate", "lead_quality", "Duplicate", "重复商机"),
    reason("service_quality", "after_sale", "Unhappy with the service", "对服务不满意"),
    reason("business_closed", "after_sale", "Customer went out of business", "客户停业"),
    reason("other", "other", "Other", "其他"),
)
"""Reasons with names in English and Chinese, under the categories ``commercial``, ``competition``,
``product``, ``customer``, ``selling``, ``lead_quality``, ``after_sale`` and ``other``."""

DISQUALIFICATION_REASONS = tuple(
    reason
    for reason in LOSS_REASONS
    if reason.category == "lead_quality"
    or reason.key in {"no_need", "budget", "no_authority", "timing", "unresponsive", "other"}
)
"""Those of the loss reasons that a lead is disqualified for: the same keys on both sides of the
conversion, so that they can be counted together."""
