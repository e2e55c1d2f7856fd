"""Records that are broken on purpose, so that a report shows what becomes of them. Their numbers are known."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson

from ingest.outgoing import Outgoing, Wire, encode
from schemas.events import Kind

FAULTS: Final[dict[str, str]] = {
    "cut_off": "not_json",
    "latitude_109": "invalid_position",
    "naive_time": "invalid_time",
    "nan_reading": "not_json",
    "text_for_number": "invalid_data",
    "unknown_type": "unknown_type",
    "no_value": "empty",
}
"""What is wrong, and the reason (schemas.reasons) a worker gives for it."""
BROKEN_A_DAY: Final = 4
"""Of each kind; with the default plan about one record in 2,000."""
REPEATED_A_DAY: Final = 4
"""Of each kind: records sent a second time, the same source, id and bytes."""
REPEATED_AFTER_MS: Final = 20_000


def broken(kind: Kind, number: int, at: datetime) -> Wire:
    """The `number`-th broken record of a kind."""
    name = list(FAULTS)[number % len(FAULTS)]
    data = {"device": "broken", "severity": 1, "position": {"lon": 109.78, "lat": 39.55}}
    wire = encode(Outgoing(kind, "/broken", f"broken-{kind}-{number:05d}", at, data))
    document = orjson.loads(wire.value)
    match name:
        case "cut_off":
            return wire._replace(value=wire.value[:-7])
        case "nan_reading":
            return wire._replace(value=wire.value.replace(b'"severity":1', b'"severity":NaN'))
        case "no_value":
            return wire._replace(value=b"")
        case "latitude_109":
            document["data"]["position"] = {"lon": 39.55, "lat": 109.78}
        case "naive_time":
            document["time"] = f"{at:%Y-%m-%dT%H:%M:%S}"
        case "text_for_number":
            document["data"]["severity"] = "high"
        case _:
            document["type"] = "citybrain.unheard.of.v1"
    return wire._replace(value=orjson.dumps(document))
