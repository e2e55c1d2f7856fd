"""The page of the events: fields from the models, and one example of each kind as it stands in Kafka."""

from __future__ import annotations

import inspect
from datetime import datetime
from typing import Any, Final, get_args

import orjson

from citybrain.reference.markdown import code, fenced, table
from ingest.outgoing import Outgoing, encode
from schemas.events import (
    EVENT_TYPES,
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    Case,
    CloudEvent,
    GridData,
    Kind,
    Located,
    PoliceData,
    Position,
    Reading,
    SensorData,
)

PAYLOADS: Final[dict[Kind, type[Located]]] = {"sensor": SensorData, "police": PoliceData, "grid": GridData}

TOLD_BY_CODE: Final = {"incident_class": "a class of [taxonomy](taxonomy.md)"}
"""Fields whose check is a function, so that their schema says no more than their type."""

EXAMPLES: Final[dict[Kind, Outgoing]] = {
    "sensor": Outgoing(
        "sensor",
        "/gas/river-town",
        "ch4-0042-20261124T021500",
        datetime.fromisoformat("2026-11-24T02:15:00+08:00"),
        {
            "position": {"lon": 109.775476, "lat": 39.534451},
            "device": "ch4-0042",
            "readings": [
                {"metric": "ch4_lel", "value": 23.5, "unit": "%LEL"},
                {"metric": "temperature_c", "value": 4.1, "unit": "degC"},
            ],
            "status": "online",
        },
    ),
    "police": Outgoing(
        "police",
        "/110/model-city",
        "20261124-00017-reported",
        datetime.fromisoformat("2026-11-24T02:41:09+08:00"),
        {
            "position": {"lon": 109.775476, "lat": 39.534451},
            "code": "入室盗窃",
            "text": "家中被盗，门锁被撬",
            "severity": 2,
            "department": "model-city police, station 2",
            "case_id": "20261124-00017",
            "stage": "reported",
        },
    ),
    "grid": Outgoing(
        "grid",
        "/grid-workers/model-city",
        "g-20261124-0193",
        datetime.fromisoformat("2026-11-24T09:12:30+08:00"),
        {
            "grid": "150627001011001",
            "text": "邻里纠纷，楼上漏水不修",
            "case_id": "g-20261124-0193",
            "stage": "accepted",
            "mediation_level": "community",
        },
    ),
}
"""Invented. The police example is the one that docs/index.md follows."""


def limits() -> str:
    """Bounds of every record."""
    return f"A record has at most {MAX_EVENT_BYTES:,} bytes and {MAX_DEPTH} levels of nesting.\n\n"


def envelope() -> str:
    """CloudEvents attributes."""
    return _fields(CloudEvent)


def types() -> str:
    """Topic and CloudEvents type of each kind."""
    rows = [(kind, code(f"citybrain.{kind}"), code(EVENT_TYPES[kind])) for kind in get_args(Kind)]
    return table(("kind", "topic", "type"), rows)


def shared() -> str:
    """Fields of every payload."""
    return _fields(Located) + _fields(Position) + _fields(Reading)


def payload(kind: Kind) -> str:
    """Fields of one kind beyond the shared ones."""
    model = PAYLOADS[kind]
    own = [Case] if issubclass(model, Case) else [model]
    return "".join(_fields(part, without=Located) for part in own)


def example(kind: Kind) -> str:
    """One event of a kind in structured mode, then in binary mode."""
    event = EXAMPLES[kind]
    wire = encode(event)
    whole = orjson.loads(wire.value)
    attributes = {name: value for name, value in whole.items() if name not in {"data", "datacontenttype"}}
    headers = {f"ce_{name}": value for name, value in attributes.items()} | {"content-type": whole["datacontenttype"]}
    return (
        f"Structured mode: header `content-type: application/cloudevents+json; charset=UTF-8`, key `{_shown(wire.key)}`, value:\n\n"
        + fenced(_pretty(whole), "json structured " + kind)
        + "Binary mode: the attributes as headers\n\n"
        + fenced("\n".join(f"{name}: {value}" for name, value in headers.items()), "text headers " + kind)
        + "and the data as value, with the same key:\n\n"
        + fenced(_pretty(whole["data"]), "json binary " + kind)
    )


def _shown(key: bytes) -> str:
    return key.decode().replace("\n", "\\n")


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _fields(model: type[Any], without: type[Any] | None = None) -> str:
    schema = model.model_json_schema()
    inherited = set(without.model_fields) if without else set()
    rows = [
        (code(name), TOLD_BY_CODE.get(name) or _type(field), "yes" if name in schema.get("required", []) else "")
        for name, field in schema["properties"].items()
        if name not in inherited
    ]
    about = fenced(inspect.cleandoc(model.__doc__ or ""), "text")
    return f"### {model.__name__}\n\n" + about + table(("field", "type and limits", "required"), rows)


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        (field,) = [choice for choice in field["anyOf"] if choice.get("type") != "null"]
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "const" in field:
        return code(f'"{field["const"]}"')
    if "enum" in field:
        return ", ".join(map(code, field["enum"]))
    text = "RFC 3339 with an offset" if field.get("format") == "date-time" else str(field["type"])
    if "items" in field:
        text = f"list of {_type(field['items'])}, at most {field['maxItems']}"
    if "minimum" in field:
        text += f", {field['minimum']:g} to {field['maximum']:g}"
    if "maxLength" in field:
        text += f", {field.get('minLength', 0)} to {field['maxLength']} characters"
    if "pattern" in field:
        text += f", {code(field['pattern'])}"
    if "unit" in field:
        text += f", {field['unit']}"
    return text
