"""The contract of events by examples: what each docstring promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events import EVENT_MODELS, EVENT_TYPES, LONGEST_CODE, Kind, event_key, utc_milliseconds
from schemas.topics import RAW

KINDS: tuple[Kind, ...] = get_args(Kind)


def read(kind: Kind, data: dict[str, Any], **attributes: Any) -> Any:
    """One event, through the model."""
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": EVENT_TYPES[kind], "time": "2026-11-23T08:00:00+08:00"}
    return EVENT_MODELS[kind].model_validate(event | attributes | {"data": data})


def fault(kind: Kind, data: dict[str, Any], **attributes: Any) -> str:
    """Where the first fault is, dotted."""
    with pytest.raises(ValidationError) as caught:
        read(kind, data, **attributes)
    return ".".join(str(part) for part in caught.value.errors()[0]["loc"])


def test_each_kind_has_one_type_one_model_and_one_topic() -> None:
    assert set(EVENT_TYPES) == set(EVENT_MODELS) == set(RAW) == set(KINDS)
    assert len(set(EVENT_TYPES.values())) == len(KINDS)
    for kind, model in EVENT_MODELS.items():
        assert get_args(model.model_fields["type"].annotation) == (EVENT_TYPES[kind],)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("sensor", {"device": "d"}),
        ("sensor", {"device": "d", "readings": []}),
        ("sensor", {"device": "d", "readings": [{"metric": "pm2.5", "value": -3, "unit": None}] * 64}),
        ("sensor", {"device": "d", "status": "offline", "severity": 4}),
        ("police", {}),
        ("police", {"code": "火警", "case_id": "c", "stage": "dispatched", "text": "", "incident_class": "S01"}),
        ("grid", {"place": "东胜区", "mediation_level": "banner", "text": "字" * 4000}),
        ("grid", {"position": {"lon": -180, "lat": 90}, "grid": "150602001001001"}),
        ("grid", {"position": {"lon": 0, "lat": 39.6}}),
        ("grid", {"position": None, "grid": None, "place": None, "code": None, "severity": None, "stage": None}),
    ],
)
def test_these_are_events(kind: Kind, data: dict[str, Any]) -> None:
    assert read(kind, data).type == EVENT_TYPES[kind]


@pytest.mark.parametrize(
    ("kind", "data", "where"),
    [
        ("sensor", {}, "data.device"),
        ("sensor", {"device": ""}, "data.device"),
        ("sensor", {"device": "d", "status": "ok"}, "data.status"),
        ("sensor", {"device": "d", "readings": [{"metric": "a", "value": 1}] * 65}, "data.readings"),
        ("sensor", {"device": "d", "readings": [{"metric": "PM", "value": 1}]}, "data.readings.0.metric"),
        ("sensor", {"device": "d", "readings": [{"metric": "a", "value": 1.1e15}]}, "data.readings.0.value"),
        ("sensor", {"device": "d", "readings": [{"metric": "a", "value": float("nan")}]}, "data.readings.0.value"),
        ("sensor", {"device": "d", "readings": [{"metric": "a", "value": "1"}]}, "data.readings.0.value"),
        ("sensor", {"device": "d", "readings": [{"metric": "a", "value": 1, "unit": "u" * 21}]}, "data.readings.0.unit"),
        ("police", {"severity": 5}, "data.severity"),
        ("police", {"severity": 1.0}, "data.severity"),
        ("police", {"severity": True}, "data.severity"),
        ("police", {"stage": "done"}, "data.stage"),
        ("police", {"text": "字" * 4001}, "data.text"),
        ("police", {"incident_class": "X99"}, "data.incident_class"),
        ("grid", {"mediation_level": "city"}, "data.mediation_level"),
        ("grid", {"grid": "15060200100100"}, "data.grid"),
        ("grid", {"place": ""}, "data.place"),
        ("grid", {"code": "c" * 201}, "data.code"),
        ("grid", {"position": {"lon": 0, "lat": 0}}, "data.position"),
        ("grid", {"position": {"lon": 109.9}}, "data.position.lat"),
        ("grid", {"position": {"lon": 180.1, "lat": 39}}, "data.position.lon"),
        ("grid", {"position": {"lon": 109.9, "lat": float("inf")}}, "data.position.lat"),
        ("grid", {"position": {"lon": "109.9", "lat": 39}}, "data.position.lon"),
    ],
)
def test_these_are_not_and_the_error_names_the_field(kind: Kind, data: dict[str, Any], where: str) -> None:
    assert fault(kind, data) == where


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"), ("id", ""), ("id", "i" * 201), ("id", 7), ("source", ""), ("type", "citybrain.sensor.reading.v2"),
        ("time", None), ("time", 1795392000), ("time", "2026-11-23T08:00:00"), ("time", "2026-11-23"), ("time", "2026-11-23T25:00:00Z"),
        ("time", "2026-02-30T08:00:00Z"), ("time", "23.11.2026 08:00"),
    ],
)  # fmt: skip
def test_the_envelope_is_cloudevents_and_its_time_has_an_offset(attribute: str, value: object) -> None:
    assert fault("sensor", {"device": "d"}, **{attribute: value}) == attribute


def test_unknown_fields_are_dropped_and_person_fields_with_them() -> None:
    """Newer producers break no older reader; no model has a field for a person."""
    event = read("police", {"caller_name": "x", "phone": "1", "new": {"deep": 1}, "code": "火警"}, subject="s")
    assert event.data.model_dump(exclude_none=True) == {"code": "火警"}
    assert not hasattr(event, "subject")


def test_a_wrong_class_is_shown_by_its_first_letters_only() -> None:
    """Free text in a code field may hold a person's data and errors are logged."""
    with pytest.raises(ValidationError) as caught:
        read("police", {"incident_class": "X" * LONGEST_CODE + "secret"})
    assert "secret" not in caught.value.errors()[0]["msg"]


def test_events_are_values() -> None:
    event = read("sensor", {"device": "d"})
    with pytest.raises(ValidationError):
        event.data.device = "other"


@pytest.mark.parametrize(
    ("at", "milliseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 8, tzinfo=timezone(timedelta(hours=8))), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1_999, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 32_503_679_999_999),
    ],
)
def test_milliseconds_are_rounded_down_on_both_sides_of_1970(at: datetime, milliseconds: int) -> None:
    assert utc_milliseconds(at) == milliseconds


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
@settings(derandomize=True, deadline=None)
def test_milliseconds_of_any_year_are_exact(milliseconds: int) -> None:
    """Also where a double holds no whole milliseconds of seconds any more."""
    assert utc_milliseconds(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)) == milliseconds


def test_a_key_is_source_and_id() -> None:
    assert event_key("源", "1") == "源\n1".encode()
    assert event_key("a", "b\nc") != event_key("a\nc", "b")
