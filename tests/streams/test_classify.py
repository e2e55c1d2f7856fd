"""Classes: the source's own, then the code table, then limits, then the text model; what nothing matches is U00."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from schemas.taxonomy import taxonomy
from streams.classify import classify
from streams.records import READ_SCHEMA
from streams.rules import shipped_rules

RULES = shipped_rules()
EMPTY = pl.from_arrow(READ_SCHEMA.empty_table())


def classes(*events: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(class, classified_by, evidence) of each event."""
    assert isinstance(EMPTY, pl.DataFrame)
    frame = pl.DataFrame([{name: event.get(name) for name in EMPTY.columns} for event in events], schema=EMPTY.schema)
    found = classify(frame, RULES)
    assert found.columns == ["incident_class", "category", "classified_by", "evidence"]
    for row in found.iter_rows(named=True):
        assert row["category"] == taxonomy().category_of(row["incident_class"])
    return found.select("incident_class", "classified_by", "evidence").rows()


def sensor(*readings: tuple[str, float], **more: Any) -> dict[str, Any]:
    return {"device": "d", "metrics": [name for name, _ in readings], "values": [value for _, value in readings], **more}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"incident_class": "D01", "code": "火警", "text": "抢劫"}, ("D01", "source", "火警")),
        ({"incident_class": "U00", "text": "抢劫"}, ("U00", "source", "")),
        ({"code": "火警", "text": "抢劫"}, ("S01", "code", "火警")),
        ({"code": "9-99", "text": "有人抢劫"}, ("O03", "terms", "抢劫")),
        ({"text": "楼道有隐患"}, ("U00", "none", "")),
        ({"text": "楼道有安全隐患"}, ("S05", "terms", "安全隐患, 隐患")),
        ({"text": "小区着火 火灾 起火"}, ("S01", "terms", "火灾, 着火, 起火")),
        ({"text": "BURGLARY last night"}, ("O04", "terms", "burglar*")),
        ({"text": "没有着火"}, ("U00", "none", "")),
        ({"text": "消防演练，模拟三楼着火"}, ("U00", "none", "")),
        ({"text": "怎么举报诈骗？"}, ("U00", "none", "")),
        ({"text": "promo: special offer, unsubscribe"}, ("U00", "none", "")),
        ({"text": ""}, ("U00", "none", "")),
        ({"text": None}, ("U00", "none", "")),
        ({"code": ""}, ("U00", "none", "")),
        ({}, ("U00", "none", "")),
        (sensor(), ("U00", "limits", "within limits")),
        (sensor(("ch4_lel", 20.0)), ("U00", "limits", "within limits")),
        (sensor(("ch4_lel", 20.1)), ("S04", "limits", "ch4_lel=20.1")),
        (sensor(("pipe_pressure_mpa", 0.09)), ("S06", "limits", "pipe_pressure_mpa=0.09")),
        (sensor(("pipe_pressure_mpa", 0.1)), ("U00", "limits", "within limits")),
        (sensor(("nobody_knows", 1e9)), ("U00", "limits", "within limits")),
        (sensor(("noise_db", 20.0), ("lift_fault", 1.0), ("ch4_lel", 99.0)), ("S09", "limits", "lift_fault=1.0")),
        (sensor(("noise_db", 99.0), ("noise_db", 20.0)), ("O12", "limits", "noise_db=99.0")),
        (sensor(("ch4_lel", 99.0), status="offline"), ("S15", "limits", "status=offline")),
        (sensor(status="fault"), ("S15", "limits", "status=fault")),
        (sensor(("noise_db", 99.0), status="online"), ("O12", "limits", "noise_db=99.0")),
        (sensor(("ch4_lel", 99.0), code="火警"), ("S01", "code", "火警")),
        (sensor(("ch4_lel", 99.0), incident_class="S14"), ("S14", "source", "")),
    ],
)
def test_who_decides_and_by_what(event: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """Alone, and with neighbours of another mind."""
    assert classes(event) == [expected]
    assert classes({"text": "赌博"}, event, {}, event, sensor(("co_ppm", 51.0)))[1::2] == [expected, expected]


def test_a_term_counts_once_however_often_it_stands() -> None:
    assert classes({"text": "隐患隐患隐患"}) == [("U00", "none", "")]


def test_an_empty_batch_has_no_classes() -> None:
    assert classes() == []


def test_answers_stand_in_the_order_of_the_rows() -> None:
    events = [{"text": "赌博"}, {"code": "火警"}, {}, sensor(("ch4_lel", 99.0)), {"incident_class": "D05"}] * 40
    assert [code for code, _, _ in classes(*events)] == ["O10", "S01", "U00", "S04", "D05"] * 40
