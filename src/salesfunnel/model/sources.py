"""Where leads come from: a taxonomy in English and Chinese, and what other systems call it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from salesfunnel.model.frozendict import FrozenDict
from salesfunnel.model.validation import is_key, is_text, to_names

OTHER = "other"


@attrs.frozen(slots=False)
class Source:
    """A way by which leads come.

    Parameters
    ----------
    key : str
        What data and code call it.
    name : str
        What people call it.
    names : mapping of str to str
        Names by language.
    category : {"online", "outreach", "event", "referral", "direct", "other"}
        A heading that several share.
    aliases : tuple of str
        What else it is called in data.
    """

    key: str = attrs.field(validator=is_key)
    name: str = attrs.field(validator=is_text)
    names: FrozenDict[str] = attrs.field(factory=FrozenDict, kw_only=True, converter=to_names)
    category: str = attrs.field(default=OTHER, kw_only=True, validator=is_key)
    aliases: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    def label(self, lang: str | None = None) -> str:
        """Return the name in a language, or the plain name where there is none in it."""
        return self.name if lang is None else self.names.get(lang, self.name)


def _source(category: str, key: str, en: str, zh: str, *aliases: str) -> Source:
    return Source(key, en, names={"en": en, "zh": zh}, category=category, aliases=aliases)


SOURCES = (
    _source(
        "online",
        "website",
        "Web site",
        "官网",
        *("web", "direct traffic", "web form", "landing page", "online", "网站", "公司官网"),
    ),
    _source(
        "online",
        "search",
        "Search engine",
        "搜索引擎",
        *("organic search", "seo", "google", "baidu", "ai referrals", "百度", "自然搜索"),
    ),
    _source(
        "online",
        "advertising",
        "Advertising",
        "广告投放",
        *(
            "paid search",
            "paid social",
            "google ads",
            "google adwords",
            "ppc",
            "sem",
            "ads",
            "advertisement",
        ),
        *("display", "广告", "信息流", "竞价"),
    ),
    _source(
        "online",
        "social_media",
        "Social media",
        "社交媒体",
        *("social", "facebook", "linkedin", "wechat", "weibo", "tiktok", "微信", "公众号"),
        *("微博", "抖音", "小红书", "社媒"),
    ),
    _source(
        "online",
        "content",
        "Content",
        "内容营销",
        *("content marketing", "white paper", "download", "blog", "白皮书", "资料下载"),
        *("public relations", "pr", "公关", "媒体报道"),
    ),
    _source("online", "chat", "Live chat", "在线客服", "livechat", "live_chat", "在线咨询"),
    _source(
        "online",
        "marketplace",
        "Marketplace",
        "电商平台",
        *("app store", "appexchange", "platform", "alibaba", "阿里巴巴", "平台"),
    ),
    _source(
        "outreach",
        "email",
        "E-mail",
        "邮件",
        *("e-mail", "email marketing", "newsletter", "mailing", "邮件营销", "edm"),
    ),
    _source(
        "outreach",
        "cold_call",
        "Cold call",
        "电话拓客",
        *("outbound call", "outbound", "telemarketing", "电话销售", "陌拜", "外呼"),
    ),
    _source("outreach", "list", "Bought list", "购买名单", "purchased list", "list", "名单"),
    _source(
        "event",
        "event",
        "Event",
        "活动",
        *(
            "seminar",
            "roadshow",
            "conference",
            "customer event",
            "seminar - internal",
            "seminar - partner",
            "市场活动",
        ),
        *("会议营销", "沙龙"),
    ),
    _source(
        "event",
        "trade_show",
        "Trade show",
        "展会",
        *("tradeshow", "exhibition", "fair", "展览", "博览会"),
    ),
    _source("event", "webinar", "Webinar", "线上研讨会", "online event", "直播", "线上会议"),
    _source(
        "referral",
        "referral",
        "Referral by a customer",
        "客户转介绍",
        *("referrals", "customer referral", "word of mouth", "external referral", "转介绍"),
        *("老客户推荐", "口碑"),
    ),
    _source(
        "referral",
        "partner",
        "Partner",
        "合作伙伴",
        *("partner referral", "reseller", "channel", "agent", "渠道", "代理商", "伙伴推荐"),
    ),
    _source(
        "referral",
        "employee",
        "Referral by an employee",
        "员工推荐",
        *("employee referral", "internal", "内部推荐"),
    ),
    _source(
        "direct",
        "inbound_call",
        "Inbound call",
        "来电咨询",
        *("phone", "phone inquiry", "call in", "400", "来电", "电话咨询"),
    ),
    _source("direct", "walk_in", "Walk-in", "上门到访", "walk in", "showroom", "到店", "自然到店"),
    _source(
        "direct",
        "existing_customer",
        "Existing customer",
        "老客户",
        *("customer", "upsell", "cross-sell", "renewal", "老客户复购", "增购", "续约"),
    ),
    _source(
        "direct",
        "tender",
        "Tender",
        "招标信息",
        *("rfp", "bid", "招标", "招投标"),
    ),
    _source(
        "other", OTHER, "Other", "其他", "offline", "other campaigns", "unknown", "其它", "未知"
    ),
)
"""Sources with names in English and Chinese. Among the aliases are the standard values of
Salesforce's LeadSource and of HubSpot's hs_analytics_source."""


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-]+", " ", text).strip().casefold()


_BY_NAME: Mapping[str, Source] = {
    _plain(name): source
    for source in SOURCES
    for name in (source.key, source.name, *source.names.values(), *source.aliases)
}


def find_source(text: str | None) -> Source | None:
    """Return the source that a text of some system means; None for one that it does not know.

    Examples
    --------
    >>> [find_source(text).key for text in ("Trade Show", "PAID_SEARCH", "微信", "E-Mail")]
    ['trade_show', 'advertising', 'social_media', 'email']
    >>> find_source("a friend of mine") is None
    True
    """
    return None if text is None else _BY_NAME.get(_plain(text))


def source_label(text: str, lang: str) -> str:
    """Return what people call a source in a language; a text that means none is its own name."""
    source = find_source(text)
    return text if source is None else source.label(lang)
