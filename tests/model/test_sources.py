"""Sources: the taxonomy, and what other systems call them."""

from __future__ import annotations

from collections import Counter

import pytest

from salesfunnel.datasets import SOURCE_QUALITY
from salesfunnel.model.reasons import DISQUALIFICATION_REASONS, LOSS_REASONS
from salesfunnel.model.sources import SOURCES, _plain, find_source, source_label

SALESFORCE = [
    *("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", "Public Relations"),
    *("Advertisement", "Customer Event", "Employee Referral", "Google AdWords", "Trade Show"),
]
HUBSPOT = [
    *("ORGANIC_SEARCH", "PAID_SEARCH", "EMAIL_MARKETING", "SOCIAL_MEDIA", "REFERRALS"),
    *("OTHER_CAMPAIGNS", "DIRECT_TRAFFIC", "OFFLINE", "PAID_SOCIAL", "AI_REFERRALS"),
]


def test_every_source_has_a_key_of_its_own_and_names_in_english_and_chinese() -> None:
    assert len({source.key for source in SOURCES}) == len(SOURCES)
    for source in SOURCES:
        assert source.names.keys() == {"en", "zh"}
        assert source.label() == source.label("en") == source.label("fr")
        assert any("\u4e00" <= character <= "\u9fff" for character in source.label("zh"))


def test_no_text_means_two_sources() -> None:
    said = Counter(
        text
        for source in SOURCES
        for text in {
            _plain(name)
            for name in (source.key, source.name, *source.names.values(), *source.aliases)
        }
    )

    assert [text for text, times in said.items() if times > 1] == []


@pytest.mark.parametrize("text", [*SALESFORCE, *HUBSPOT, *SOURCE_QUALITY])
def test_the_values_of_known_systems_are_found(text: str) -> None:
    assert find_source(text) is not None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("官网", "website"),
        ("微信", "social_media"),
        ("展会", "trade_show"),
        ("转介绍", "referral"),
        ("E-Mail", "email"),
        ("  trade-show ", "trade_show"),
        ("市场活动", "event"),
    ],
)
def test_a_text_means_its_source_however_it_is_written(text: str, key: str) -> None:
    source = find_source(text)

    assert source is not None
    assert source.key == key


def test_a_text_that_means_no_source_is_its_own_name() -> None:
    assert find_source("a friend of mine") is None
    assert find_source(None) is None
    assert source_label("a friend of mine", "zh") == "a friend of mine"
    assert source_label("Trade Show", "zh") == "展会"


def test_leads_are_disqualified_for_reasons_that_deals_are_lost_for() -> None:
    assert set(DISQUALIFICATION_REASONS) < set(LOSS_REASONS)
    keys = {reason.key for reason in DISQUALIFICATION_REASONS}
    assert {"unqualified", "invalid_contact", "duplicate", "no_need", "budget"} <= keys
    assert "competitor" not in keys
