"""One story told by every CRM: the entries are those that happened, from whichever it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crm.entries import collapsed
from hypothesis import given, settings
from hypothesis import strategies as st

from salesfunnel.crm import hubspot, jiandaoyun, salesforce
from salesfunnel.crm.salesforce.responses import long_id
from salesfunnel.model.funnel import Funnel

FUNNEL = Funnel(["Lead", "Demo", "Offer"])
STATES = ["Lead", "Demo", "Offer", "Closed Won", "Closed Lost"]
START = datetime(2026, 1, 5, 2, tzinfo=UTC)

Story = dict[str, list[tuple[int, str]]]
"""The minutes at which each opportunity entered stages, never one twice in a row."""


def told(story: Story) -> list[tuple[str, str, str]]:
    """Return what a log of the story says."""
    keys = {"Closed Won": "won", "Closed Lost": "lost"}
    return sorted(
        (name, keys.get(stage, stage), f"{START + timedelta(minutes=minute):%m-%d %H:%M}")
        for name, entries in story.items()
        for minute, stage in entries
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story: Story = {}
    for number in range(draw(st.integers(1, 4))):
        stages = draw(st.lists(st.sampled_from(STATES), min_size=1, max_size=7))
        kept = [stage for place, stage in enumerate(stages) if stages[place - 1 : place] != [stage]]
        minutes = draw(
            st.lists(st.integers(0, 9999), min_size=len(kept), max_size=len(kept), unique=True)
        )
        story[f"D{number}"] = list(zip(sorted(minutes), kept, strict=True))
    return story


def at(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def record(name: str, entries: list[tuple[int, str]]) -> dict[str, Any]:
    return {"Id": name, "StageName": entries[-1][1], "CreatedDate": at(entries[0][0])}


@given(stories(), st.randoms())
@settings(max_examples=60)
def test_every_crm_tells_the_same_story(story: Story, random: Any) -> None:
    records = [record(name, entries) for name, entries in story.items()]
    history = [
        {"OpportunityId": name, "StageName": stage, "CreatedDate": at(minute)}
        for name, entries in story.items()
        for minute, stage in entries
    ]
    changes = [
        {
            "OpportunityId": name,
            "Field": "StageName",
            "OldValue": entries[place - 1][1],
            "NewValue": stage,
            "CreatedDate": at(minute),
        }
        for name, entries in story.items()
        for place, (minute, stage) in enumerate(entries)
        if place
    ]
    deals = [
        {
            "id": name,
            "propertiesWithHistory": {
                "dealstage": [
                    {"value": stage, "timestamp": at(minute)} for minute, stage in entries[::-1]
                ]
            },
        }
        for name, entries in story.items()
    ]
    events = [
        {
            "op": "data_update" if place else "data_create",
            "opTime": int((START + timedelta(minutes=minute)).timestamp() * 1000),
            "data": {"_id": name, "stage": stage},
        }
        for name, entries in story.items()
        for place, (minute, stage) in enumerate(entries)
    ]
    for rows in (history, changes, events):
        random.shuffle(rows)

    expected = told(story)
    assert sorted(collapsed(salesforce.load(history=history, funnel=FUNNEL))) == expected
    assert sorted(collapsed(hubspot.load(deals=deals, funnel=FUNNEL))) == expected
    pushed = jiandaoyun.load(events=events, fields={"stage": "stage"}, funnel=FUNNEL)
    assert sorted(collapsed(pushed)) == expected
    # A close without a history has no time here, so that only those with changes can be told.
    changed = {name: entries for name, entries in story.items() if len(entries) > 1}
    by_fields = salesforce.load(
        opportunities=[row for row in records if row["Id"] in changed],
        field_history=changes,
        funnel=FUNNEL,
    )
    assert sorted(collapsed(by_fields)) == told(changed)


@given(
    st.text(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", min_size=15, max_size=15
    )
)
def test_long_identifiers_tell_apart_what_differs_in_case_alone(given: str) -> None:
    long = long_id(given)

    assert long[:15] == given
    assert len(long) == 18
    assert long_id(long) == long
    # By the rule, from the last three characters alone, which of the fifteen are capitals.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    capitals = [
        bool(alphabet.index(letter) >> place & 1) for letter in long[15:] for place in range(5)
    ]
    assert capitals == [letter.isupper() for letter in given]


def test_the_rule_for_long_identifiers_gives_those_of_salesforce() -> None:
    # Records of the sample exports.
    for known in ("0061G00000N38JZQAZ", "00Q1G00000nDnM5UAK", "006q000000HddohAAB"):
        assert long_id(known[:15]) == known
