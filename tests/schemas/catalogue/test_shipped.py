"""The shipped catalogue: complete, in two languages, and within its guardrails."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.catalogue.check import problems
from schemas.catalogue.read import LISTS, shipped
from schemas.response import shipped_tiers
from schemas.taxonomy import taxonomy

CATALOGUE = shipped()


def texts(value: Any, where: str = "") -> list[tuple[str, str]]:
    """Every text of a value with the name of its field."""
    if isinstance(value, BaseModel):
        return [pair for name in type(value).model_fields for pair in texts(getattr(value, name), name)]
    if isinstance(value, tuple):
        return [pair for part in value for pair in texts(part, where)]
    return [(where, value)] if isinstance(value, str) else []


def test_nothing_is_wrong_with_it() -> None:
    assert problems(CATALOGUE) == []


def test_its_categories_and_classes_are_the_taxonomy() -> None:
    """One source: the names the pipeline uses and the names the catalogue shows are read from the same files."""
    words = taxonomy()
    assert [(entry.id, entry.letter, entry.zh, entry.en) for entry in CATALOGUE.categories] == list(words.categories.values())
    assert [(entry.code, entry.zh, entry.en) for entry in CATALOGUE.incident_classes] == [
        (entry.code, entry.zh, entry.en) for entry in words.classes.values()
    ]
    assert words.version == CATALOGUE.version


def test_sixty_classes_say_what_they_are_and_what_they_are_not() -> None:
    named = [entry for entry in CATALOGUE.incident_classes if not entry.code.endswith("99") and entry.code != "U00"]
    assert len(named) == 60
    assert len({entry.definition.zh for entry in named}) == len({entry.definition.en for entry in named}) == 60
    for entry in named:
        assert len(entry.definition.zh) >= 15, entry.code
        assert len(entry.definition.en.split()) >= 8, entry.code
        assert len(entry.examples.zh) >= 2, entry.code
        assert len(entry.examples.en) >= 2, entry.code
        assert all(other.see != entry.code for other in entry.excludes), entry.code


def test_twenty_seven_scenarios_among_them_those_asked_for() -> None:
    names = {scenario.id: scenario.zh for scenario in CATALOGUE.scenarios}
    assert len(names) == 27
    assert names.items() >= {
        "safe_ejin_horo": "平安伊金霍洛", "smart_community": "智慧社区", "grid_management": "网格化管理", "review_and_handle": "多多评·伊手办",
        "hidden_danger_1_8": "1+8隐患排查机制", "smart_emergency": "智慧应急", "mine_safety": "矿山安全",
        "industrial_internet_safety": "工业互联网+安全生产", "anti_fraud": "反电信网络诈骗", "mediation": "矛盾纠纷三级调解",
        "petition_agent": "代办服务办件统计",
    }.items()  # fmt: skip


def test_every_class_is_watched_by_a_scenario() -> None:
    """What nobody looks at is not watched; D and C have their own scenarios, U00 is for the report."""
    watched = {code for scenario in CATALOGUE.scenarios for code in scenario.incident_classes}
    assert {entry.code for entry in CATALOGUE.incident_classes} - watched == {"U00"}


def test_anti_fraud_selects_every_fraud_and_mediation_every_dispute() -> None:
    scenarios = {scenario.id: scenario for scenario in CATALOGUE.scenarios}
    assert set(scenarios["anti_fraud"].incident_classes) == {f"C{i:02}" for i in range(1, 11)} | {"C99"}
    disputes = {code for code in taxonomy().classes if code[0] == "D"}
    assert set(scenarios["mediation"].incident_classes) == disputes - {"D03"}, "domestic violence is no matter of mediation"
    assert scenarios["mediation"].levels == ("community", "town", "banner"), "mediation has three levels"


@pytest.mark.parametrize("name", [name for name in LISTS if getattr(CATALOGUE, name)])
def test_ids_and_names_stand_once(name: str) -> None:
    entries = getattr(CATALOGUE, name)
    for field in ("zh", "en"):
        names = [getattr(entry, field) for entry in entries]
        assert sorted(names) == sorted(set(names)), field


def test_chinese_is_written_with_chinese_punctuation_and_english_with_ascii() -> None:
    """Half-width commas and brackets in Chinese are typing mistakes; two names of the taxonomy are older than this rule."""
    old = {entry.zh for entry in CATALOGUE.incident_classes if entry.code in {"O09", "S05"}}
    for name, value in texts(CATALOGUE):
        if name == "zh" and value not in old:
            assert not re.search(r"[一-鿿][,;:?!()]|[,;:?!()][一-鿿]", value), value
        if name == "en":
            assert value.isascii(), value


@pytest.mark.parametrize("name", ["definition", "about"])
def test_sentences_end_as_sentences(name: str) -> None:
    for entry in (*CATALOGUE.incident_classes, *CATALOGUE.scenarios):
        if text := getattr(entry, name, None):
            assert text.zh.endswith("。"), text.zh
            assert text.en.endswith("."), text.en


def test_tiers_are_those_response_times_are_judged_by() -> None:
    """An incident class is judged by the tier of its class in the catalogue: the shipped response file says the same."""
    rules = {rule.selector: rule.tier for rule in shipped_tiers().rules()}
    assert shipped_tiers().axis == "urgency"
    tiers = CATALOGUE.entries("tiers")
    assert {tier.response for tier in tiers.values()} - {None} == set(rules.values())
    for entry in CATALOGUE.incident_classes:
        if wanted := tiers[entry.tier].response:
            assert rules.get(entry.code, rules[""]) == wanted, entry.code
