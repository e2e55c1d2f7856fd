"""The judge: one record through pydantic. Slow, exact, and able to say what is wrong.

The Arrow fast path may only accept what this accepts, with the same values; it sends everything else here.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError

from schemas.events import EVENT_MODELS, MAX_DEPTH, MAX_EVENT_BYTES, Case, Kind, SensorData, utc_milliseconds
from schemas.person_fields import without_person_fields
from streams.records import RawRecord, Reject

KEPT_BODY_BYTES: Final = 65_536


class Unreadable(NamedTuple):
    """What is no JSON document."""

    reason: str
    detail: str


def judge(kind: Kind, record: RawRecord, value: bytes) -> dict[str, Any] | Reject:
    """Read one structured event of `kind`: a row of READ_SCHEMA, or why not."""
    document = _document(value)
    if isinstance(document, Unreadable):
        return Reject(record.offset, record.timestamp, *document, None, record.value or b"")
    if _may_be_odd(value) and (problem := _not_plain(document)):
        return Reject(record.offset, record.timestamp, *problem, kept_body(document), record.value or b"")
    try:
        event = EVENT_MODELS[kind].model_validate_json(value)
    except ValidationError as error:
        return Reject(record.offset, record.timestamp, *_reason(error), kept_body(document), record.value or b"")
    data = event.data
    sensor = data if isinstance(data, SensorData) else None
    case = data if isinstance(data, Case) else None
    readings = (sensor.readings if sensor else None) or []
    return {
        "source_offset": record.offset,
        "received_at": record.timestamp,
        "source": event.source,
        "id": event.id,
        "at": utc_milliseconds(event.time),
        "incident_class": data.incident_class,
        "code": data.code,
        "severity": data.severity,
        "department": data.department,
        "lon": data.position and data.position.lon,
        "lat": data.position and data.position.lat,
        "grid": data.grid,
        "place": data.place,
        "text": case and case.text,
        "case_id": case and case.case_id,
        "stage": case and case.stage,
        "mediation_level": case and case.mediation_level,
        "device": sensor and sensor.device,
        "status": sensor and sensor.status,
        "metrics": [reading.metric for reading in readings],
        "values": [reading.value for reading in readings],
    }


def _document(value: bytes) -> object | Unreadable:
    """The JSON value that these bytes hold."""
    if not value:
        return Unreadable("empty", "the record has no value")
    if len(value) > MAX_EVENT_BYTES:
        return Unreadable("too_large", f"{len(value)} bytes; at most {MAX_EVENT_BYTES}")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return Unreadable("not_utf8", f"byte {error.start}: {error.reason}")
    try:
        document: object = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            return Unreadable("too_deep", f"nested deeper than the JSON reader goes; at most {MAX_DEPTH} levels")
        return Unreadable("not_json", f"{error.msg} at byte {len(value.decode()[: error.pos].encode())}")
    return document


def _may_be_odd(value: bytes) -> bool:
    """Whether `_not_plain` could find anything: JSON writes NUL in one way, and a level needs an opener."""
    return b"\\u0000" in value or value.count(b"{") + value.count(b"[") > MAX_DEPTH


def _not_plain(document: object) -> tuple[str, str] | None:
    """Nested too deep, or a NUL in a string. Walked level by level: the input decides the depth, not our stack."""
    level: list[object] = [document]
    depth = 0
    while level:
        if depth > MAX_DEPTH:
            return "too_deep", f"more than {MAX_DEPTH} levels"
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and "\0" in item:
                return "nul_byte", f"character {item.index(chr(0))} of a string of {len(item)}"
        level, depth = below, depth + 1
    return None


def _reason(error: ValidationError) -> tuple[str, str]:
    first = error.errors(include_url=False, include_context=False)[0]
    where = [str(part) for part in first["loc"]]
    got = first["input"]
    # Free text may hold a person's data, so only numbers and short codes are shown as they came.
    shown = repr(got) if isinstance(got, int | float | bool | None) else f"{type(got).__name__} of {len(got)}"
    detail = f"{'.'.join(where) or 'record'}: {first['msg']}; got {shown}"
    match where:
        case ["time", *_]:
            return "invalid_time", detail
        case ["type", *_]:
            return "unknown_type", f"{detail} {got[:60]!r}" if isinstance(got, str) else detail
        case ["data", "position", *_]:
            return "invalid_position", detail
        case ["data", *_]:
            return "invalid_data", detail
        case _:
            return "not_cloudevents", detail


def kept_body(document: object) -> bytes | None:
    """What may be kept of a rejected JSON document: without person fields, cut at KEPT_BODY_BYTES."""
    try:
        return orjson.dumps(without_person_fields(document))[:KEPT_BODY_BYTES]
    except orjson.JSONEncodeError:  # nested deeper than it writes, 254 levels
        return None
