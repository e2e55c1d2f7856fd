"""Response tiers: every case is of exactly one, and a wrong file is named with what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from citybrain.tiers_file import configured_tiers
from schemas.errors import BadSettings
from schemas.response import ResponseTiers, read_tiers, shipped_tiers

REST = {"tier": "5", "minutes": {"arrive": 5}}


def tiers(axis: str, *named: Mapping[str, object]) -> str:
    return yaml.safe_dump({"axis": axis, "tiers": [*named, REST]}, allow_unicode=True)


def test_the_shipped_tiers_are_1_3_5() -> None:
    shipped = shipped_tiers()
    assert [(tier.tier, tier.minutes["arrive"]) for tier in shipped.tiers] == [("1", 1), ("3", 3), ("5", 5)]
    assert shipped.rules()[-1].selector == ""
    assert shipped == configured_tiers(None)


def test_the_longest_selector_is_tried_first_and_the_rest_last() -> None:
    named = {"tier": "1", "of": ["150627", "150627001001", "150627001"], "minutes": {"accept": 0.5}}
    rules = read_tiers(tiers("place", named), "t").rules()

    assert [rule.selector for rule in rules] == ["150627001001", "150627001", "150627", ""]
    assert rules[0].limits_ms == {"accept": 30_000}


def test_classes_come_before_categories() -> None:
    named = {"tier": "1", "of": ["cyber", "C01", "disputes"], "minutes": {"arrive": 1}}
    assert [rule.selector for rule in read_tiers(tiers("urgency", named), "t").rules()] == ["C01", "disputes", "cyber", ""]


def test_the_same_tiers_have_the_same_hash_and_others_another() -> None:
    text = tiers("responder", {"tier": "1", "of": ["甲派出所"], "minutes": {"arrive": 1}})
    assert read_tiers(text, "a").config == read_tiers(text, "b").config
    assert read_tiers(text, "a").config != read_tiers(text.replace("arrive: 1", "arrive: 2"), "a").config


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("axis: [", "not YAML"),
        ("- 1", "dictionary"),
        ("axis: luck\ntiers: [{tier: a, minutes: {arrive: 1}}]", "'place', 'responder' or 'urgency'"),
        ("axis: place\ntiers: []", "tiers"),
        ("axis: place\ntiers: [{tier: a, of: ['150627'], minutes: {arrive: 1}}]", "exactly one tier without `of`"),
        (tiers("place", {**REST, "tier": "6"}), "exactly one tier without `of`"),
        (tiers("place", {"tier": "5", "of": ["150627"], "minutes": {"arrive": 1}}), "tier ['5'] stands twice"),
        (tiers("place", {"tier": "1", "of": ["150627", "150627"], "minutes": {"arrive": 1}}), "stands twice"),
        (tiers("place", {"tier": "1", "of": ["1506"], "minutes": {"arrive": 1}}), "6, 9, 12, 15 digits"),
        (tiers("place", {"tier": "1", "of": [], "minutes": {"arrive": 1}}), "at least 1 item"),
        (tiers("urgency", {"tier": "1", "of": ["S98"], "minutes": {"arrive": 1}}), "incident class or a category"),
        (tiers("responder", {"tier": "1", "of": [" "], "minutes": {"arrive": 1}}), "department"),
        (tiers("urgency", {"tier": "1", "of": ["S01"], "minutes": {"arrive": 0}}), "greater than 0"),
        (tiers("urgency", {"tier": "1", "of": ["S01"], "minutes": {}}), "at least 1 item"),
        (
            tiers("urgency", {"tier": "1", "of": ["S01"], "minutes": {"return": 3}}),
            "'accept', 'dispatch', 'arrive' or 'resolve'",
        ),
        (tiers("urgency", {"tier": "1", "of": ["S01"], "minutes": {"arrive": 1}, "speed": 3}), "speed"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_tiers(text, "city.yaml")
    assert "city.yaml" in str(caught.value)
    assert told in str(caught.value)


def test_a_deployments_own_file_is_read(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(tiers("responder", {"tier": "1", "of": ["消防"], "minutes": {"arrive": 3}}), encoding="utf-8")
    assert isinstance(configured_tiers(own), ResponseTiers)
    with pytest.raises(BadSettings, match="CITYBRAIN_CITY__RESPONSE_TIERS: cannot read"):
        configured_tiers(tmp_path / "none.yaml")
