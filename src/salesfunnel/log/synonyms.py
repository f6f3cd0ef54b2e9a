"""What columns and closed stages are called, in English and Chinese, in the exports of CRMs."""

from __future__ import annotations

import re

COLUMNS: dict[str, tuple[str, ...]] = {
    "stage": (
        *(
            "stage name",
            "deal stage",
            "dealstage",
            "opportunity stage",
            "sales stage",
            "pipeline stage",
        ),
        *("stage", "to stage", "new stage", "new value", "state", "status"),
        *("商机阶段", "销售阶段", "当前阶段", "阶段名称", "阶段", "商机状态", "跟进阶段", "状态"),
    ),
    "opportunity": (
        *("opportunity id", "deal id", "opp id", "case id", "record id", "lead id", "id"),
        *("opportunity", "deal", "deal number", "opportunity number", "数据id"),
        *("商机编号", "商机id", "商机号", "机会编号", "项目编号", "编号", "商机", "单号"),
    ),
    "entered_at": (
        *("entered at", "date entered", "stage entered", "entered on", "stage changed at"),
        *("stage change date", "changed at", "change date", "moved at", "event time"),
        *("timestamp", "time", "date", "at"),
        *(
            "进入时间",
            "进入日期",
            "阶段变更时间",
            "变更时间",
            "变更日期",
            "操作时间",
            "时间",
            "日期",
        ),
    ),
    "created": (
        *(
            "created date",
            "createdate",
            "created at",
            "create date",
            "date created",
            "created",
            "created on",
        ),
        *("open date", "opened", "engage date", "start date"),
        *("创建时间", "创建日期", "开始日期", "立项日期", "提交时间", "录入时间"),
    ),
    "closed": (
        *(
            "close date",
            "closedate",
            "closed date",
            "closed at",
            "date closed",
            "closed",
            "closed on",
        ),
        *("end date", "关闭时间", "关闭日期", "成交日期", "结单日期", "结束日期", "签约日期"),
    ),
    "reason": (
        *("loss reason", "lost reason", "closed lost reason", "reason lost", "reason for loss"),
        *("why lost", "reason", "输单原因", "流失原因", "丢单原因", "失败原因", "战败原因", "原因"),
    ),
    "amount": (
        *("amount", "deal amount", "deal value", "opportunity amount", "close value"),
        *("contract value", "value", "expected revenue", "revenue", "price"),
        *("商机金额", "金额", "预计金额", "合同金额", "销售金额", "成交金额", "预计销售金额"),
    ),
    "currency": ("currency", "currency code", "currency iso code", "币种", "货币"),
    "order": (
        *("record number", "history id", "row id", "sequence", "seq", "序号", "流水号", "记录号"),
    ),
    "owner": (
        *("owner", "owner name", "opportunity owner", "deal owner", "owner id"),
        *("hubspot owner id", "sales rep", "sales agent", "sales person", "salesperson", "rep"),
        *("assigned to", "account executive"),
        *("负责人", "销售负责人", "业务员", "销售代表", "销售", "跟进人", "所有人", "商机负责人"),
    ),
    "source": (
        *("lead source", "source", "channel", "deal source"),
        *("线索来源", "商机来源", "客户来源", "来源", "渠道"),
    ),
    "product": ("product", "product name", "product line", "产品", "产品名称", "意向产品"),
    "region": (
        *("region", "territory", "country", "regional office", "office"),
        *("区域", "地区", "大区", "省份", "城市"),
    ),
    "customer": (
        *("account", "account name", "customer", "customer name", "company", "company name"),
        *("client", "客户", "客户名称", "公司", "公司名称", "企业名称"),
    ),
}
"""Names of columns by what they are, the surer ones first, as `plain_name` has them."""

ATTRIBUTES = ("owner", "source", "product", "region", "customer")
"""Those that are labels to group by."""

EDITED = (
    *("last modified", "modified", "updated", "update date", "last activity", "systemmodstamp"),
    *("synced", "last edited", "修改时间", "更新时间", "修改日期", "更新日期", "同步时间"),
)
"""Parts of the names of columns that say when somebody or something edited the row."""

WON = (
    *("won", "closed won", "close won", "win", "deal won", "signed", "converted"),
    *("赢单", "成交", "已成交", "签约成功", "成功", "已签约", "赢单关闭", "中标"),
)
LOST = (
    *("lost", "closed lost", "close lost", "dead", "deal lost", "loss", "disqualified"),
    *("流失", "输单", "丢单", "战败", "失败", "已流失", "输单关闭", "无效", "落标"),
)
"""Names of the states won and lost, as `plain_name` has them."""

STAGES: dict[str, tuple[str, ...]] = {
    "lead_identification": (
        *("lead", "prospecting", "prospect", "new", "new lead", "qualification", "identified"),
        *("线索", "潜在客户", "新线索", "潜在", "意向客户"),
    ),
    "initial_contact": (
        *("contacted", "first contact", "engaging", "appointment scheduled", "connected"),
        *("首次接触", "接触", "初步沟通", "已联系", "初访", "首次拜访"),
    ),
    "needs_analysis": (
        *("discovery", "needs", "qualified", "qualified to buy", "requirements", "demo"),
        *("需求确认", "需求沟通", "需求调研", "需求", "需求挖掘"),
    ),
    "solution_design": (
        *("solution", "proposal", "value proposition", "presentation scheduled", "evaluation"),
        *("方案", "方案提供", "方案报价", "方案演示", "产品演示"),
    ),
    "quotation_negotiation": (
        *("negotiation", "negotiation review", "quote", "quotation", "proposal price quote"),
        *("商务谈判", "谈判", "报价", "谈判审核", "报价谈判"),
    ),
    "contract_signing": (
        *("contract", "contract sent", "contract signing", "legal", "commit", "decision maker"),
        *("合同", "签约", "合同审批", "合同谈判", "签订合同"),
    ),
    "after_sales_service": ("service", "after sales", "onboarding", "售后", "客户服务", "交付"),
}
"""Names that the stages of the standard funnel have elsewhere, as `plain_name` has them."""


def plain_name(name: str) -> str:
    """Return a name without what does not matter in it: case, brackets, signs, words run together.

    Examples
    --------
    >>> plain_name("StageName"), plain_name("deal_stage"), plain_name("商机金额（元）")
    ('stage name', 'deal stage', '商机金额')
    """
    name = re.sub(r"[(（\[【].*?[)）\]】]", " ", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    name = re.sub(r"__c\b", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", name).lower().split())
