"""An event on its way out, and its form on the wire: a structured-mode CloudEvent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from schemas.events import EVENT_TYPES, Kind, event_key

CONTENT_TYPE: Final = ("content-type", b"application/cloudevents+json; charset=UTF-8")


class Outgoing(NamedTuple):
    """One event. `at` is aware; `data` holds the payload's fields and nothing about persons."""

    kind: Kind
    source: str
    id: str
    at: datetime
    data: dict[str, Any]


class Wire(NamedTuple):
    """A record ready to send."""

    kind: Kind
    key: bytes
    value: bytes


def encode(event: Outgoing) -> Wire:
    """Key and value of an event; the key makes a repeat meet its original in one partition."""
    value = orjson.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": EVENT_TYPES[event.kind],
            "time": event.at,
            "datacontenttype": "application/json",
            "data": event.data,
        }
    )
    return Wire(event.kind, event_key(event.source, event.id), value)
