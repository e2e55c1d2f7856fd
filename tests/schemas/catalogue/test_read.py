"""A city's own folder: laid over the shipped catalogue, checked whole, every mistake told with its place."""

from __future__ import annotations

import pytest

from schemas.catalogue.diff import diff
from schemas.catalogue.read import parse, shipped
from schemas.errors import BadCatalogue

HEAD = "version: 2\nextends: citybrain\nzh: 示例旗目录\nen: Example banner\n"
BUREAU = "{id: %s, kind: bureau, zh: %s, en: %s, duty: {zh: 供水, en: Water}}"


def over(**texts: str) -> dict[str, str]:
    return {"catalogue.yaml": HEAD} | {f"{name}.yaml": text for name, text in texts.items()}


def test_an_empty_overlay_changes_only_the_head() -> None:
    found = diff(shipped(), parse(over(), shipped()))
    assert (found.added, found.removed) == ([], [])
    assert {(change.list, change.field) for change in found.changed} == {
        ("catalogue", "zh"),
        ("catalogue", "en"),
        ("catalogue", "version"),
    }


def test_a_known_id_is_replaced_whole_a_new_one_added_and_one_taken_out() -> None:
    departments = f"departments:\n  - {BUREAU % ('water', '水务局', 'Water authority')}\n  - {BUREAU % ('ports', '口岸办', 'Port office')}\n"
    manifest = HEAD + "remove: {scenarios: [wild_fire]}\n"
    found = diff(shipped(), parse({"catalogue.yaml": manifest, "departments.yaml": departments}, shipped()))
    assert found.added == [("departments", "ports")]
    assert found.removed == [("scenarios", "wild_fire")]
    fields = {(change.field, str(change.new)) for change in found.changed if change.id == "water"}
    assert fields >= {("zh", "水务局"), ("en", "Water authority")}


def test_a_scenario_may_name_topics_of_the_shipped_catalogue() -> None:
    text = """
scenarios:
  - id: our_lifts
    zh: 本旗电梯
    en: Our lifts
    about: {zh: 电梯。, en: Lifts.}
    audience: {zh: 物业, en: Managers}
    levels: [community]
    topics: [lifts]
    indicators: [incidents]
"""
    catalogue = parse(over(scenarios=text), shipped())
    assert catalogue.entries("scenarios")["our_lifts"].information_classes == ("sensor.lift_fault", "sensor.lift_call_button")


def test_classes_share_what_their_topic_says_unless_they_say_otherwise() -> None:
    text = """
kind: sensor
topics:
  - id: ski
    zh: 滑雪场
    en: Ski area
    shared: {department: culture_tourism, tier: record, retention_days: 365, privacy: open, source: own}
    classes:
      - {id: slope_snow_cm, zh: 雪道雪厚, en: Snow on a piste, unit: cm, range: [0, 300]}
      - {id: cableway_m_s, zh: 索道速度, en: Speed of a cableway, metric: rope_m_s, unit: m/s, range: [0, 12], tier: prompt}
"""
    catalogue = parse(over(information_ski=text), shipped())
    snow, rope = (catalogue.entries("information_classes")[f"sensor.{name}"] for name in ("slope_snow_cm", "cableway_m_s"))
    assert (snow.tier, rope.tier) == ("record", "prompt")
    assert (snow.measure.metric, rope.measure.metric) == ("slope_snow_cm", "rope_m_s")
    assert len(catalogue.information_classes) == 287


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("departments.yaml", f"departments:\n  - {BUREAU % ('water', '水务局', '水务局')}", "water: en: got '水务局'; wanted English"),
        ("departments.yaml", f"departments:\n  - {BUREAU % ('water', 'Water', 'Water')}", "water: zh: got 'Water'; wanted Chinese"),
        ("departments.yaml", "departments:\n  - {id: water, zh: 水务局, en: Water}", "water: kind: got"),
        ("departments.yaml", "departments: {id: water}", "departments: wanted a list of mappings"),
        ("departments.yaml", "people: []", "got ['people']; wanted only ['departments']"),
        ("departments.yaml", "- a\n- b", "wanted a mapping at the top, got list"),
        ("departments.yaml", "departments: [\n", "departments.yaml:"),
        ("departments.yaml", "departments: []\ndepartments: []", "stand twice"),
        ("departments.yaml", f"departments:\n  - {BUREAU % ('w', '甲', 'A')}\n  - {BUREAU % ('w', '乙', 'B')}", "w stands twice in departments"),
        ("notes.yaml", "a: 1", "no file of a catalogue; wanted one of catalogue.yaml"),
        ("scenarios.yaml", "scenarios:\n  - {id: x, topics: [nowhere]}", "topics ['nowhere'] are unknown"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file_and_entry(file: str, text: str, told: str) -> None:
    with pytest.raises(BadCatalogue) as error:
        parse({"catalogue.yaml": HEAD, file: text}, shipped())
    assert told in str(error.value)
    assert file in str(error.value)


def test_names_that_lead_nowhere_are_told() -> None:
    text = """
kind: grid
topics:
  - {id: ours, zh: 本地, en: Ours, classes: [{id: a, zh: 甲类上报, en: Kind A, department: none, tier: fast, retention_days: 365, privacy: open, source: x, incident_class: X01}]}
"""
    with pytest.raises(BadCatalogue) as error:
        parse(over(information_ours=text), shipped())
    for told in (
        "'none' is none of departments",
        "'fast' is none of tiers",
        "'x' is none of sources",
        "'X01' is none of incident_classes",
    ):
        assert told in str(error.value)


def test_codes_of_incident_classes_are_a_contract() -> None:
    with pytest.raises(BadCatalogue, match="S01: is missing; stored events may be of it"):
        parse({"catalogue.yaml": HEAD + "remove: {incident_classes: [S01]}\n"}, shipped())


def test_thresholds_lie_in_the_range_and_in_order() -> None:
    text = "kind: sensor\ntopics:\n  - {id: t, zh: 甲, en: A, classes: [{id: m, zh: 量, en: M, unit: m, range: [0, 5], %s, department: water, tier: record, retention_days: 365, privacy: open, source: own}]}"
    for given, told in {
        "alarm: {above: 9}": "alarm: wanted values within 0.0 to 5.0, got [9.0]",
        "attention: {above: 4}, alarm: {above: 3}": "wanted attention to come before alarm, got above 4.0 and 3.0",
        "attention: {}": "wanted above, below, or both",
        "incident_class: S10": "wanted an alarm value, since it leads to S10",
    }.items():
        with pytest.raises(BadCatalogue) as error:
            parse(over(information_t=text % given), shipped())
        assert told in str(error.value)


def test_a_removal_of_what_is_not_there_is_told() -> None:
    with pytest.raises(BadCatalogue, match="remove: departments has no navy"):
        parse({"catalogue.yaml": HEAD + "remove: {departments: [navy]}\n"}, shipped())
