"""The 285 classes of information: counted, sourced, distinct, and the same numbers the worker acts on."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from typing import Any

import pytest
import yaml

from ingest.city.grid_reports import WEIGHTS
from ingest.city.sensors import METRICS
from ingest.mapping import load_mapping, shipped_mappings
from schemas.catalogue.check import MOST_OWN, own_share, problems
from schemas.catalogue.models import Catalogue, InformationClass
from schemas.catalogue.read import shipped
from schemas.catalogue.similar import near_duplicates
from schemas.events import EVENT_MODELS

CATALOGUE = shipped()
CLASSES = CATALOGUE.entries("information_classes")
SENSORS = {entry.measure.metric: entry for entry in CATALOGUE.information_classes if entry.measure}


def limits() -> dict[str, dict[str, Any]]:
    """The limits the worker acts on."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(files("streams").joinpath("rules", "limits.yaml").read_bytes())["metrics"]
    return found


def named(zh: str, en: str, like: str = "grid.pothole") -> InformationClass:
    """A class of another name."""
    entry: InformationClass = CLASSES[like]
    return entry.model_copy(update={"id": "grid.other", "zh": zh, "en": en})


def with_class(entry: InformationClass) -> Catalogue:
    return CATALOGUE.model_copy(update={"information_classes": (*CATALOGUE.information_classes, entry)})


def test_there_are_285_of_every_kind() -> None:
    kinds = Counter(entry.kind for entry in CATALOGUE.information_classes)
    assert kinds.total() == 285
    assert set(kinds) == {"sensor", "police", "grid", "service", "inspection", "mediation"}
    assert min(kinds.values()) >= 15


def test_at_most_15_percent_are_our_own_and_every_source_is_used() -> None:
    assert MOST_OWN == 0.15
    assert own_share(CATALOGUE) <= MOST_OWN
    assert {source.id for source in CATALOGUE.sources} == {entry.source for entry in CATALOGUE.information_classes}


def test_too_many_of_our_own_are_refused() -> None:
    own = [named(f"自定义类别{i}", f"Own class number {i}").model_copy(update={"source": "own"}) for i in range(60)]
    catalogue = CATALOGUE.model_copy(update={"information_classes": (*CATALOGUE.information_classes, *own)})
    assert any("are own; wanted at most 15%" in problem for problem in problems(catalogue))


def test_every_alarm_is_a_limit_of_the_worker_and_every_limit_an_alarm() -> None:
    """One number, told twice: what the catalogue shows is what makes an event."""
    alarms = {}
    for metric, entry in SENSORS.items():
        if entry.incident_class:
            alarm = entry.measure.alarm.model_dump(exclude_none=True) if entry.measure and entry.measure.alarm else {}
            alarms[metric] = (alarm, entry.incident_class, entry.measure.unit if entry.measure else "")
    rules = {
        metric: ({side: float(limit[side]) for side in ("above", "below") if side in limit}, limit["class"], limit["unit"])
        for metric, limit in limits().items()
    }
    assert alarms == rules


def test_metrics_of_the_simulated_city_are_known_with_their_unit_and_lie_in_range() -> None:
    for metric in METRICS:
        measure = SENSORS[metric.name].measure
        assert measure is not None
        assert measure.unit == metric.unit, metric.name
        low, high = measure.range
        assert low <= metric.mean <= metric.breach <= high, metric.name


def test_metrics_of_shipped_mappings_are_known_with_their_unit() -> None:
    """NAB's series are of many makers and have one metric, `value`, that means nothing by itself."""
    readings = [reading for name in shipped_mappings() if name != "nab" for reading in load_mapping(name).readings]
    assert readings
    for reading in readings:
        measure = SENSORS[reading.metric].measure
        assert measure is not None
        assert measure.unit == reading.unit, reading.metric


def test_every_unit_fits_into_an_event() -> None:
    unit = EVENT_MODELS["sensor"].model_json_schema()["$defs"]["Reading"]["properties"]["unit"]
    longest = next(choice["maxLength"] for choice in unit.get("anyOf", [unit]) if "maxLength" in choice)
    assert max(len(entry.measure.unit) for entry in SENSORS.values() if entry.measure) <= longest


def test_contacts_range_from_zero_to_one_and_percentages_start_at_zero() -> None:
    for metric, entry in SENSORS.items():
        assert entry.measure
        if entry.measure.alarm and entry.measure.alarm.above == 0.5 and entry.measure.unit == "1":
            assert entry.measure.range == (0, 1), metric
        if entry.measure.unit in {"%", "%LEL", "%/m"}:
            assert entry.measure.range[0] == 0, metric


def test_every_class_the_city_reports_has_an_information_class() -> None:
    covered = {entry.incident_class for entry in CATALOGUE.information_classes}
    assert {code for code in WEIGHTS if code} <= covered
    named_classes = {entry.code for entry in CATALOGUE.incident_classes if not entry.code.endswith("99")} - {"U00"}
    assert named_classes <= covered, "each of the sixty has a source of information"


def test_hidden_dangers_of_1_8_have_eight_fields() -> None:
    (scenario,) = [entry for entry in CATALOGUE.scenarios if entry.id == "hidden_danger_1_8"]
    topics = {CLASSES[name].topic for name in scenario.information_classes if name.startswith("inspection.")}
    assert len(topics - {"findings"}) == 8


def test_no_two_are_nearly_the_same() -> None:
    assert list(near_duplicates(CATALOGUE.information_classes)) == []


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("路面的坑槽", "Holes in asphalt"),
        ("路面坑槽事件上报", "Damage to asphalt"),
        ("沥青破损", "Potholes"),
        ("沥青破损", "Report of a pothole"),
        ("路灯全部不亮", "Street lights are out"),
        ("井盖缺失情况", "Manhole covers missing"),
    ],
)
def test_a_near_duplicate_is_found(zh: str, en: str) -> None:
    assert any("nearly the same" in problem for problem in problems(with_class(named(zh, en))))


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("桥面伸缩缝损坏", "Expansion joint damaged"),
        ("井盖被车辆碾压异动监测", "Load on a manhole cover"),
        ("污水井冒溢", "Sewer manhole overflowing"),
    ],
)
def test_what_is_different_is_left_alone(zh: str, en: str) -> None:
    assert problems(with_class(named(zh, en))) == []
