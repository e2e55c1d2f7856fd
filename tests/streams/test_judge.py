"""The judge: one example of each reason, and details that tell the sender what to change and nobody who somebody is."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES, MAX_DEPTH, MAX_EVENT_BYTES, Kind
from schemas.reasons import REASONS
from streams.judge import KEPT_BODY_BYTES, judge
from streams.records import READ_SCHEMA, RawRecord, Reject


def event(data: Any = None, **attributes: Any) -> bytes:
    """A police event."""
    whole = {"specversion": "1.0", "id": "1", "source": "s", "type": EVENT_TYPES["police"], "time": "2026-11-23T08:00:00+08:00"}
    return json.dumps(whole | {"data": {} if data is None else data} | attributes, ensure_ascii=False).encode()


def nested(levels: int) -> bytes:
    return event()[:-1] + b',"x":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def refused(value: bytes, kind: Kind = "police") -> Reject:
    verdict = judge(kind, RawRecord(7, 8, value, []), value)
    assert isinstance(verdict, Reject)
    assert (verdict.offset, verdict.timestamp, verdict.value) == (7, 8, value)
    assert verdict.reason in REASONS
    return verdict


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"", "empty", "no value"),
        (b" " * (MAX_EVENT_BYTES + 1), "too_large", f"{MAX_EVENT_BYTES + 1} bytes; at most {MAX_EVENT_BYTES}"),
        (b'{"id":"\xff"}', "not_utf8", "byte 7: invalid start byte"),
        (b"\xc0\x80", "not_utf8", "byte 0"),
        (b"id,time\n1,2", "not_json", "at byte 0"),
        (b'{"id":', "not_json", "byte 6"),
        ('{"id":"鄂",}'.encode(), "not_json", "byte 11"),
        (b'{"a":NaN}', "not_json", "byte 5"),
        (b'{"a":Infinity}', "not_json", "byte 5"),
        (b'{"a":1e999}', "not_json", "infinity"),
        (b'{"a":"\\ud800"}', "not_json", "surrogate"),
        (b"\xef\xbb\xbf{}", "not_json", "byte"),
        (b"{}{}", "not_json", "byte 2"),
        (nested(MAX_DEPTH + 2), "too_deep", f"more than {MAX_DEPTH} levels"),
        (nested(100), "too_deep", f"more than {MAX_DEPTH} levels"),
        (nested(900), "too_deep", f"more than {MAX_DEPTH} levels"),
        (nested(100_000), "too_deep", "deeper than the JSON reader goes"),
        (event({"text": "a\0b"}), "nul_byte", "character 1 of a string of 3"),
        (event(strange={"deep": ["\0"]}), "nul_byte", "character 0 of a string of 1"),
        (event(**{"k\0": 1}), "nul_byte", "character 1 of a string of 2"),
        (b"[]", "not_cloudevents", "record: Input should be an object; got list of 0"),
        (b"5", "not_cloudevents", "got 5"),
        (b'"text"', "not_cloudevents", "got str of 4"),
        (b"null", "not_cloudevents", "got None"),
        (b"{}", "not_cloudevents", "specversion: Field required"),
        (event(specversion="0.3"), "not_cloudevents", "specversion"),
        (event(id=""), "not_cloudevents", "id: String should have at least 1 character"),
        (event(id=17), "not_cloudevents", "id: Input should be a valid string; got 17"),
        (event(source="s" * 201), "not_cloudevents", "source: String should have at most 200 characters; got str of 201"),
        (event(type="citybrain.police.incident.v2"), "unknown_type", "'citybrain.police.incident.v2'"),
        (event(type=EVENT_TYPES["grid"]), "unknown_type", "citybrain.grid.report.v1"),
        (event(type=5), "unknown_type", "got 5"),
        (event(time=None), "invalid_time", "wanted RFC 3339 with an offset"),
        (event(time="2026-11-23T08:00:00"), "invalid_time", "wanted RFC 3339 with an offset"),
        (event(time="2026-11-23"), "invalid_time", "RFC 3339"),
        (event(time="23/11/2026 08:00"), "invalid_time", "RFC 3339"),
        (event(time=1795392000), "invalid_time", "got 1795392000"),
        (event(time="2026-02-29T08:00:00Z"), "invalid_time", "day value"),
        (event(time="2026-11-23T24:00:00Z"), "invalid_time", "time: "),
        (event({"position": {"lon": 0, "lat": 0}}), "invalid_position", "(0, 0)"),
        (event({"position": {"lon": 109.9}}), "invalid_position", "data.position.lat: Field required"),
        (event({"position": {"lon": 999, "lat": 39}}), "invalid_position", "got 999"),
        (event({"position": [109.9, 39]}), "invalid_position", "got list of 2"),
        (event([]), "invalid_data", "data: Input should be an object"),
        (event({"severity": 5}), "invalid_data", "data.severity: Input should be less than or equal to 4; got 5"),
        (event({"stage": "done"}), "invalid_data", "data.stage"),
        (event({"grid": "1506"}), "invalid_data", "data.grid"),
        (event({"text": "字" * 1_000_000})[: MAX_EVENT_BYTES + 5], "too_large", "bytes"),
        (event({"text": "字" * 4_001}), "invalid_data", "data.text: String should have at most 4000 characters; got str of 4001"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_fault_has_its_reason_and_a_detail(value: bytes, reason: str, detail: str) -> None:
    found = refused(value)
    assert (found.reason, detail in found.detail) == (reason, True), found


def test_readings_are_named_by_position() -> None:
    readings = [{"metric": "a", "value": 1}, {"metric": "A", "value": 1}]
    value = event({"device": "d", "readings": readings}, type=EVENT_TYPES["sensor"])
    assert refused(value, "sensor").detail.startswith("data.readings.1.metric: String should match pattern")


@pytest.mark.parametrize(
    "value", [b"", b"no json", b'{"id":"\xff"}', b" " * (MAX_EVENT_BYTES + 1), b'{"a":NaN}', nested(5_000)]
)
def test_what_is_no_json_keeps_no_bytes(value: bytes) -> None:
    assert refused(value).body is None


@pytest.mark.parametrize(
    "data",
    [
        {"severity": 9, "phone": "13812345678", "deep": [{"Name": "x", "kept": 1}]},
        {"position": {"lon": 0, "lat": 0}, "victim": {"any": "thing"}},
    ],
)
def test_the_kept_body_has_no_person_fields(data: dict[str, Any]) -> None:
    body = orjson.loads(refused(event(data, caller="x")).body or b"")
    assert "caller" not in body
    assert not {"phone", "victim"} & set(body["data"])
    assert body["data"].get("deep", [{"kept": 1}]) == [{"kept": 1}]


def test_the_kept_body_is_cut_at_64_kib() -> None:
    found = refused(event({"severity": 9, "padding": "x" * 100_000}))
    assert len(found.body or b"") == KEPT_BODY_BYTES == 65_536


@pytest.mark.parametrize("secret", ["李四13812345678住某某小区"])
@pytest.mark.parametrize(
    "field", ["code", "place", "stage", "incident_class", "grid", "case_id", "severity", "position", "text"]
)
def test_details_show_no_free_text(field: str, secret: str) -> None:
    """Details go to logs and pages; what a sender puts into a wrong field may be about a person."""
    found = refused(event({field: secret * 400}))
    assert secret not in found.detail
    assert len(found.detail) < 400


def test_an_accepted_record_is_a_row_of_the_read_schema() -> None:
    value = event({"text": "楼上漏水", "position": {"lon": 109.9, "lat": 39}, "severity": 2, "phone": "1", "stage": "reported"})
    row = judge("police", RawRecord(7, 8, value, []), value)
    assert isinstance(row, dict)
    assert list(row) == READ_SCHEMA.names
    assert {name: item for name, item in row.items() if item not in (None, [])} == {
        "source_offset": 7, "received_at": 8, "source": "s", "id": "1", "at": 1_795_392_000_000, "severity": 2,
        "lon": 109.9, "lat": 39.0, "text": "楼上漏水", "stage": "reported",
    }  # fmt: skip


@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=30).map(str.encode),
        st.binary(max_size=4).map(lambda some: event()[:-1] + some),
    )
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_the_bytes_there_is_a_verdict(value: bytes) -> None:
    verdict = judge("police", RawRecord(7, 8, value, []), value)
    assert isinstance(verdict, dict) or verdict.reason in REASONS
