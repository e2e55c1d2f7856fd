"""Real blocks for tests: raw records through the real kitchen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from ingest.city import build_city
from ingest.outgoing import Outgoing, encode
from schemas.block import encode_block
from schemas.events import Kind
from schemas.topics import RAW
from sinks.ledger import Position
from sinks.migrate import GUARDED
from sinks.published import TAKEN
from sinks.repeats import event_keys
from sinks.screen import Keys
from sinks.store import Store
from streams.cook import Kitchen, cook
from streams.locate import Locator
from streams.records import RawRecord
from streams.rules import shipped_rules
from streams.worker import header_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARRIVED_MS = int(NOON.timestamp() * 1000) + 60_000
RISK_ID = "risk-1"
TARGETS = {"counts_minute": "events", "counts_day": "events", "cases": "events", "sensor_rollup": "n"}
"""View targets, and the column whose sum counts rows."""

_LOCATOR = Locator(build_city(1).places)
_KITCHENS: dict[Kind, Kitchen] = {kind: Kitchen(kind, _LOCATOR, shipped_rules()) for kind in RAW}


class Block(NamedTuple):
    """Headers and value of a record of citybrain.risk."""

    headers: list[tuple[str, bytes]]
    value: bytes


def raw(offset: int, event_id: str | None = None, kind: Kind = "police", source: str = "/t", **data: Any) -> RawRecord:
    """A good raw record; every third is a stage of a case."""
    content = {"text": "入室盗窃", "case_id": f"c{offset}", "stage": "reported"} if kind != "sensor" else {}
    event = Outgoing(kind, source, event_id or f"e{offset}", NOON, content | data)
    return RawRecord(offset, ARRIVED_MS, encode(event).value, ())


def bad(offset: int) -> RawRecord:
    """A raw record that is rejected."""
    return RawRecord(offset, ARRIVED_MS, b"{not json", ())


def block(records: Iterable[RawRecord], kind: Kind = "police", partition: int = 0, topic_id: str = "raw-1") -> Block:
    """The block of these records, as a worker would send it."""
    cooked = cook(_KITCHENS[kind], list(records))
    return Block(header_of(cooked, RAW[kind].name, topic_id, partition).to_kafka(), encode_block(cooked.table))


def keys_of(*events: tuple[str, str]) -> Keys:
    """The event_key of each (source, id)."""
    sources, ids = zip(*events, strict=True) if events else ((), ())
    return event_keys(pa.table({"source": pa.array(sources, pa.string()), "id": pa.array(ids, pa.string())}))


def at(offset: int, partition: int = 0) -> Position:
    """A place in citybrain.risk."""
    return Position(RISK_ID, partition, offset)


def one(store: Store, sql: str) -> int:
    """The single number of a query."""
    ((value,),) = store.query(sql)
    return int(value or 0)


def rows_in(store: Store) -> dict[str, int]:
    """Rows of events, rejected, and what each view target counts."""
    sums = {name: one(store, f"SELECT sum({column}) FROM {name}") for name, column in TARGETS.items()}
    return {name: one(store, f"SELECT count() FROM {name}") for name in ("events", "rejected", "blocks")} | sums


def empty(store: Store) -> None:
    """Drop all facts and, with them, the tokens of their inserts: as good as new, and cheaper."""
    for table in (*GUARDED, "response_kept", "response_passes", *TAKEN):
        store.command(f"TRUNCATE TABLE {table}")
