"""Bad input through real Kafka, worker, loader and ClickHouse: each bad record is a row, its neighbours are as if alone."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import shapely.geometry

from ingest.city import City
from ingest.producer import LONGEST_BYTES
from schemas.events import EVENT_TYPES
from schemas.topics import RAW
from tests.pipeline import Pipeline

SOURCE = "tests/bad-input"
NOW = datetime.now(UTC)
"""Events of the hour before the test; what is too late or too early is meant so."""
TOPIC = RAW["police"]


def event(event_id: str, data: dict[str, Any] | None = None, **attributes: Any) -> bytes:
    """A police event; `attributes` replace those of the envelope."""
    at = (NOW - timedelta(minutes=30)).isoformat()
    whole = {"specversion": "1.0", "id": event_id, "source": SOURCE, "type": EVENT_TYPES["police"], "time": at}
    return json.dumps(
        whole | {"data": {"code": "火警", "place": "x"} if data is None else data} | attributes, ensure_ascii=False
    ).encode()


def beside(event_id: str, extra: bytes) -> bytes:
    """An event with a field nobody reads, as raw JSON source."""
    return event(event_id)[:-1] + b',"extra":' + extra + b"}"


def changed(text: str, by: str) -> bytes:
    """An event that has `by` where it had `text`."""
    return event("bad").replace(text.encode(), by.encode())


def position(lon: float, lat: float) -> bytes:
    return event("bad", {"position": {"lon": lon, "lat": lat}})


BAD: dict[str, tuple[bytes | None, str]] = {
    "no value": (None, "empty"),
    "not JSON": (b"id,time,place\n1,2,3", "not_json"),
    "half an event": (event("bad")[:60], "not_json"),
    "two events in one record": (event("bad1") + event("bad2"), "not_json"),
    "two events in two lines": (event("bad1") + b"\n" + event("bad2"), "not_json"),
    "not UTF-8": (b"\xff\xfe" + event("bad"), "not_utf8"),
    "byte order mark": (b"\xef\xbb\xbf" + event("bad"), "not_json"),
    "NaN": (beside("bad", b"NaN"), "not_json"),
    "NaN as a coordinate": (event("bad", {"position": {"lon": float("nan"), "lat": 39.6}}), "not_json"),
    "Infinity": (beside("bad", b"-Infinity"), "not_json"),
    "a number no double holds": (beside("bad", b"1" * 400), "not_json"),
    "half a surrogate pair": (beside("bad", b'"\\ud800"'), "not_json"),
    "NUL in a text": (event("bad", {"text": "a\0b"}), "nul_byte"),
    "NUL in an id": (event("b\0d"), "nul_byte"),
    "NUL byte itself": (event("bad") + b"\0", "not_json"),
    "100 deep": (beside("bad", b"[" * 99 + b"]" * 99), "too_deep"),
    "500 deep": (beside("bad", b"[" * 499 + b"]" * 499), "too_deep"),
    "10,000 deep": (beside("bad", b"[" * 10_000), "too_deep"),
    "1 MB text": (event("bad", {"text": "火" * 350_000}), "too_large"),
    "a text over its limit": (event("bad", {"text": "火" * 4_001}), "invalid_data"),
    "an array": (b"[" + event("bad") + b"]", "not_cloudevents"),
    "an empty object": (b"{}", "not_cloudevents"),
    "an id that is a number": (event("bad", id=17), "not_cloudevents"),
    "another version of CloudEvents": (event("bad", specversion="0.3"), "not_cloudevents"),
    "unknown type": (event("bad", type="citybrain.police.incident.v9"), "unknown_type"),
    "a type of another topic": (event("bad", type=EVENT_TYPES["sensor"]), "unknown_type"),
    "naive time": (event("bad", time="2026-11-23T08:00:00"), "invalid_time"),
    "a time that is a number": (event("bad", time=1795392000), "invalid_time"),
    "a day that is none": (event("bad", time="2026-02-30T08:00:00Z"), "invalid_time"),
    "an hour that is none": (event("bad", time="2026-11-23T25:00:00Z"), "invalid_time"),
    "a day ahead": (event("bad", time=(NOW + timedelta(days=1)).isoformat()), "time_out_of_range"),
    "year 1": (event("bad", time="0001-01-01T00:00:00Z"), "time_out_of_range"),
    "year 9999": (event("bad", time="9999-12-31T23:59:59Z"), "time_out_of_range"),
    "coordinates swapped": (position(39.61, 109.98), "invalid_position"),
    "null island": (position(0, 0), "invalid_position"),
    "one coordinate of two": (event("bad", {"position": {"lon": 109.98}}), "invalid_position"),
    "a coordinate as text": (event("bad", {"position": {"lon": "109.98", "lat": 39.61}}), "invalid_position"),
    "a severity as text": (event("bad", {"severity": "3"}), "invalid_data"),
    "data as a list": (event("bad", data=[]), "invalid_data"),  # type: ignore[arg-type]
    "a class nobody knows": (event("bad", {"incident_class": "Z01"}), "invalid_data"),
    "a stage nobody knows": (event("bad", {"stage": "done"}), "invalid_data"),
}
BINARY = [
    ("ce_specversion", b"1.0"), ("ce_type", EVENT_TYPES["police"].encode()), ("ce_source", SOURCE.encode()),
    ("ce_time", (NOW - timedelta(minutes=30)).isoformat().encode()), ("content-type", b"application/json"),
]  # fmt: skip


class Sent(NamedTuple):
    """The deployment after everything was stored, and the records by offset."""

    pipeline: Pipeline
    values: list[bytes | None]


@pytest.fixture(scope="module")
def sent(pipeline: Pipeline) -> Sent:
    """Every bad record between two good ones, in one partition; then binary events, good and bad."""
    values: list[bytes | None] = [event("good-0")]
    for number, (value, _) in enumerate(BAD.values(), 1):
        values += [value, event(f"good-{number}")]
    pipeline.send_bytes("police", values)
    for event_id, value in (
        ("binary-good", '{"code":"火警","place":"x"}'.encode()),
        ("binary-bad", b'{"severity":9,"phone":"1"}'),
    ):
        pipeline.send_bytes("police", [value], [*BINARY, ("ce_id", event_id.encode()), ("strange", b"\xff")])
        values.append(value)
    pipeline.settle()
    return Sent(pipeline, values)


@pytest.mark.parametrize(("number", "reason"), [(i, reason) for i, (_, reason) in enumerate(BAD.values())], ids=BAD)
def test_a_bad_record_is_a_row_with_reason_topic_partition_and_offset(sent: Sent, number: int, reason: str) -> None:
    offset = 1 + 2 * number
    value = sent.values[offset] or b""
    (row,) = sent.pipeline.rows(
        f"SELECT reason, detail, length, sha256, source_topic, source_partition FROM rejected WHERE source_offset = {offset}"
    )
    assert row.pop("detail")
    assert row == {
        "reason": reason, "length": len(value), "sha256": hashlib.sha256(value).hexdigest(),
        "source_topic": TOPIC.name, "source_partition": 0,
    }  # fmt: skip


def test_the_good_neighbours_are_stored_once_and_alike(sent: Sent) -> None:
    """One answer for all: no bad record changed what was read of the next."""
    rows = sent.pipeline.rows(
        "SELECT kind, code, incident_class, classified_by, located_by, at, count() AS n, countDistinct(id) AS ids,"
        f" groupUniqArray(toUInt64(source_offset) % 2) AS odd FROM events WHERE source = '{SOURCE}' AND id LIKE 'good-%' GROUP BY ALL"
    )
    assert len(rows) == 1
    good = len(BAD) + 1
    assert {name: int(rows[0][name]) for name in ("n", "ids")} == {"n": good, "ids": good}
    assert [int(odd) for odd in rows[0]["odd"]] == [0]
    assert (rows[0]["incident_class"], rows[0]["classified_by"], rows[0]["located_by"]) == ("S01", "code", "outside")


def test_nothing_of_a_bad_record_is_stored_as_an_event(sent: Sent) -> None:
    assert int(sent.pipeline.one("SELECT count() FROM events WHERE id LIKE 'bad%'")) == 0
    assert int(sent.pipeline.one("SELECT count() FROM rejected")) == len(BAD) + 1


def test_binary_events_go_the_same_way(sent: Sent) -> None:
    """CloudEvents binary mode: attributes in headers; the reject has the hash of what was sent, and no person field."""
    good, bad = len(sent.values) - 2, len(sent.values) - 1
    (stored,) = sent.pipeline.rows(f"SELECT id, source, incident_class FROM events WHERE source_offset = {good}")
    assert stored == {"id": "binary-good", "source": SOURCE, "incident_class": "S01"}
    (row,) = sent.pipeline.rows(f"SELECT reason, body, sha256 FROM rejected WHERE source_offset = {bad}")
    assert (row["reason"], row["sha256"]) == ("invalid_data", hashlib.sha256(sent.values[bad] or b"").hexdigest())
    assert json.loads(row["body"])["data"] == {"severity": 9}


def test_what_is_no_json_keeps_no_bytes(sent: Sent) -> None:
    rows = sent.pipeline.rows(
        "SELECT DISTINCT reason FROM rejected WHERE body != '' AND reason IN ('not_json', 'not_utf8', 'empty', 'too_large')"
    )
    assert rows == []
    assert int(sent.pipeline.one("SELECT max(length(body)) FROM rejected")) <= 65_536


def test_the_audit_finds_every_record_in_one_place(sent: Sent) -> None:
    report = sent.pipeline.audit()
    assert report.clean, report.to_dict()
    assert (report.checked, report.pending) == (len(sent.values), 0)


def test_no_process_had_to_start_again(sent: Sent) -> None:
    """Bad input is data, not bad luck."""
    assert [part.restarts for part in sent.pipeline.deployment.supervisor.parts if part.restarts] == []


def test_ours_takes_every_record_that_kafka_takes(sent: Sent, city: City) -> None:
    """Up to the longest that a producer hands over: what is too large for us is a row and not a producer's error."""
    value = event("bad", {"text": "x" * (LONGEST_BYTES - 4_096)})
    before = int(sent.pipeline.one("SELECT count() FROM rejected WHERE reason = 'too_large'"))
    sent.pipeline.send_bytes(
        "police", [value, event("last", {"position": dict(zip(("lon", "lat"), _point(city), strict=True))})]
    )
    sent.pipeline.settle()
    assert int(sent.pipeline.one("SELECT count() FROM rejected WHERE reason = 'too_large'")) == before + 1
    assert sent.pipeline.one("SELECT located_by FROM events WHERE id = 'last'") == "coordinates"


def _point(city: City) -> tuple[float, float]:
    point = shapely.geometry.shape(city.places.grids[0].geometry).representative_point()
    return point.x, point.y
