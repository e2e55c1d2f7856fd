"""What docs/index.md shows of the event it follows: the real bytes and rows of the real functions, in order."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import orjson

from citybrain.reference.event_forms import EXAMPLES
from citybrain.reference.markdown import code, fenced, table
from ingest.city import build_city
from ingest.outgoing import CONTENT_TYPE, encode
from streams.cook import Cooked, Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules
from streams.worker import header_of

ARRIVED_AFTER_MS: Final = 180
OFFSET: Final = 41
TOPIC_ID: Final = "3f1c7a52-8d8e-4a55-9f0e-6a2b1c0d4e77"
SHOWN: Final = (
    "source_offset", "kind", "source", "id", "at", "received_at", "category", "incident_class", "classified_by", "evidence",
    "grid", "located_by", "stage", "case_id", "text", "reject_reason",
)  # fmt: skip


def record() -> str:
    """The record as the producer sends it."""
    wire = encode(EXAMPLES["police"])
    return fenced(
        f"key      {wire.key!r}\nheader   {CONTENT_TYPE[0]}: {CONTENT_TYPE[1].decode()}\nvalue    {wire.value.decode()}", "text"
    )


def row() -> str:
    """Its row in the block; empty columns are left out but for the two that say something by being empty."""
    (cells,) = cooked().table.select(list(SHOWN)).to_pylist()
    return table(("column", "value"), [(code(name), code(_shown(cells[name]))) for name in SHOWN])


def headers() -> str:
    """The headers of the record of citybrain.risk that the row travels in."""
    header = header_of(cooked(), "citybrain.police", TOPIC_ID, 0)
    return fenced("\n".join(f"{name}: {value.decode()}" for name, value in header.to_kafka()), "text")


@cache
def cooked() -> Cooked:
    """The block of this one event, over the places of the simulated city."""
    event = EXAMPLES["police"]
    raw = RawRecord(OFFSET, int(event.at.timestamp() * 1000) + ARRIVED_AFTER_MS, encode(event).value, [CONTENT_TYPE])
    return cook(Kitchen("police", Locator(build_city(1).places), shipped_rules()), [raw])


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return value.isoformat() if hasattr(value, "isoformat") else str(orjson.dumps(value).decode()).strip('"')
