"""Alerts and actions: what is written is read again, what is neither is named, and an id is of what was found."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import LONGEST_RECORD, alert_id, encode_alert, params_hash, read_alert
from schemas.errors import BadAlert
from tests.alerts import NOON, action, raised

GOOD = raised()
ACK = action(GOOD, "ack", "key-1")


@pytest.mark.parametrize("event", [GOOD, ACK, raised(incident_class=None, p=None), action(GOOD, "resolve", "k", note="查看过")])
def test_what_is_written_is_read_again(event: Any) -> None:
    assert read_alert(encode_alert(event).value) == event


def test_an_alert_and_its_actions_share_their_key() -> None:
    assert encode_alert(GOOD).key == encode_alert(ACK).key == GOOD.id.encode()


def changed(event: Any, path: str, value: Any) -> bytes:
    document = json.loads(encode_alert(event).value)
    *parents, last = path.split(".")
    box = document
    for name in parents:
        box = box[name]
    box[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        (None, "empty", "no value"),
        (b" " * (LONGEST_RECORD + 1), "too_large", "at most"),
        (b"{not json", "not_json", "wanted a CloudEvent"),
        (b"\xff\xfe", "not_json", "wanted a CloudEvent"),
        (b"[" * 100_000, "not_json", "wanted a CloudEvent"),
        (b"[]", "not_cloudevents", "JSON object"),
        (changed(GOOD, "type", "citybrain.grid.report.v1"), "unknown_type", "citybrain.alert.raised.v1"),
        (changed(GOOD, "id", "17"), "not_cloudevents", "id"),
        (changed(GOOD, "time", "yesterday"), "not_cloudevents", "RFC 3339"),
        (changed(GOOD, "data.level", 5), "invalid_data", "data.level"),
        (changed(GOOD, "data.area", "150627"), "invalid_data", "a community has 12 digits"),
        (changed(GOOD, "data.window_end", "2026-11-20T10:00:00Z"), "invalid_data", "before it starts"),
        (changed(GOOD, "data.observed", "many"), "invalid_data", "data.observed"),
        (changed(GOOD, "data.incident_class", "X1"), "invalid_data", "no incident class"),
        (changed(ACK, "data.kind", "forget"), "invalid_data", "data.kind"),
        (changed(ACK, "data.version", 0), "invalid_data", "data.version"),
    ],
)
def test_what_is_neither_is_named(value: bytes | None, reason: str, said: str) -> None:
    with pytest.raises(BadAlert) as caught:
        read_alert(value)

    assert caught.value.reason == reason
    assert said in caught.value.detail


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_reason(value: bytes) -> None:
    with pytest.raises(BadAlert):
        read_alert(value)


def test_fields_of_a_newer_writer_are_dropped() -> None:
    assert read_alert(changed(GOOD, "data.colour", "red")) == GOOD


def test_parameters_are_named_whatever_their_order() -> None:
    assert params_hash({"a": 1, "b": 2.5}) == params_hash({"b": 2.5, "a": 1}) != params_hash({"a": 1, "b": 2.0})


def test_an_id_is_of_detector_parameters_area_category_class_and_window() -> None:
    parts: list[Any] = ["ears_c2", "0" * 16, "150627", "cyber", "C01", NOON, NOON + timedelta(hours=1)]
    others: list[Any] = ["ears_c3", "1" * 16, "150628", "disputes", None, NOON - timedelta(hours=1), NOON + timedelta(hours=2)]
    ids = {_id(parts)} | {_id([*parts[:n], other, *parts[n + 1 :]]) for n, other in enumerate(others)}

    assert len(ids) == len(parts) + 1
    shanghai = timezone(timedelta(hours=8))
    assert _id([*parts[:5], datetime(2026, 11, 20, 20, tzinfo=shanghai), parts[6]]) == _id(parts)


def _id(parts: list[Any]) -> str:
    detector, parameters, area, category, incident_class, start, end = parts
    return alert_id(detector, parameters, area, category, incident_class, start, end)
