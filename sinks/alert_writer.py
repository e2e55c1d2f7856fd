"""Store one record of `citybrain.alerts`: an alert, an action, or a reject; then the ledger. Doing it twice changes nothing.

The record is its own block: source and stored position are the same. No view hangs on these tables, so a row that is there
already needs no healing: it is looked up by its position instead of being inserted again under its token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import xxhash

from schemas import metrics
from schemas.alerts import AlertAction, AlertRaised, read_alert
from schemas.block import SCHEMA_VERSION, BlockHeader
from schemas.errors import BadAlert
from schemas.topics import ALERTS
from sinks.ledger import Ledger, Position, Tally
from sinks.store import Store

Redact = Callable[[str], str]
MILLIS: Final = pa.timestamp("ms", "UTC")
IDS: Final = {"alerts": "alert_id", "alert_actions": "action_id"}
NEIGHBOURS: Final = pa.list_(pa.struct([("area", pa.string()), ("observed", pa.float64()), ("expected", pa.float64())]))
TYPES: Final[dict[str, pa.DataType]] = {
    "at": MILLIS, "received_at": MILLIS, "window_start": MILLIS, "window_end": MILLIS, "level": pa.uint8(), "version": pa.uint32(),
    "p": pa.float64(), "q": pa.float64(), "note": pa.string(), "baseline": pa.list_(pa.float64()), "neighbours": NEIGHBOURS,
    "body_hash": pa.uint64(), "length": pa.uint64(), "body": pa.binary(), "source_partition": pa.uint16(), "source_offset": pa.uint64(),
    "risk_partition": pa.uint16(), "risk_offset": pa.uint64(),
}  # fmt: skip


class AlertWriter:
    """Stores records of one partition of `citybrain.alerts`, in order. `redact` None: notes are dropped."""

    def __init__(self, store: Store, redact: Redact | None = None) -> None:
        self._store, self._redact = store, redact
        self._ledger = Ledger(store)

    def check_half_stored(self, position: Position) -> None:
        """Nothing to fear: a half-stored record is found by its position, however old it is."""

    def store(self, position: Position, record: Any) -> Tally:
        """Store one record of Kafka."""
        return self.write(position, record.value, record.timestamp)

    def write(self, position: Position, value: bytes | None, received_ms: int) -> Tally:
        """Store one record. StoreUnavailable: nothing is lost, call again with the same record."""
        if stored := self._ledger.tally(position):
            return stored  # only the answer was lost
        table, row = self._row(value)
        verdict = self._verdict(position, table, row)
        if verdict == "stored" and not self._is_there(table, position):
            row |= _origin(position) | {"received_at": received_ms}
            if table == "rejected":
                row |= {
                    "risk_topic_id": position.topic_id,
                    "risk_partition": position.partition,
                    "risk_offset": position.offset,
                }
            self._store.insert(table, _table(row), position.token(table))
        counted = "rejected" if table == "rejected" else verdict
        tally = Tally(**{name: int(name == counted) for name in Tally._fields})
        rows, rejected = int(counted == "stored"), int(counted == "rejected")
        header = BlockHeader(
            SCHEMA_VERSION, ALERTS.name, position.topic_id, position.partition, position.offset, position.offset, rows, rejected
        )
        self._ledger.write(position, header, tally)
        metrics.STORED.labels(table).inc(rows + rejected)
        metrics.REPEATED.labels("repeated").inc(tally.repeated)
        metrics.REPEATED.labels("conflict").inc(tally.conflict)
        return tally

    def _row(self, value: bytes | None) -> tuple[str, dict[str, Any]]:
        """The table a record goes to, and its row there."""
        try:
            event = read_alert(value)
        except BadAlert as error:
            # No body: what is not of our making may name people; the topic still has it for its retention.
            body = value or b""
            digest = hashlib.sha256(body).hexdigest()
            return "rejected", {
                "reason": error.reason,
                "detail": error.detail,
                "body": b"",
                "length": len(body),
                "sha256": digest,
            }
        common = {"at": event.time, "source": event.source, "body_hash": xxhash.xxh3_64_intdigest(value or b"")}
        if isinstance(event, AlertAction):
            return "alert_actions", common | {"action_id": event.id} | self._action(event)
        return "alerts", common | {"alert_id": event.id} | _alert(event)

    def _action(self, event: AlertAction) -> dict[str, Any]:
        note = self._redact(event.data.note) if self._redact and event.data.note else None
        return event.data.model_dump() | {"note": note}

    def _verdict(self, position: Position, table: str, row: dict[str, Any]) -> str:
        """stored, repeated or conflict: another record of the same source and id may be stored before."""
        if table == "rejected":
            return "stored"
        name = IDS[table]
        found = self._store.query(
            f"SELECT body_hash FROM {table} WHERE {name} = {{id:String}} AND source = {{source:String}} AND NOT {HERE} ORDER BY stored_at LIMIT 1",
            {"id": row[name], "source": row["source"], **_here(position)},
        )
        if not found:
            return "stored"
        return "repeated" if found[0][0] == row["body_hash"] else "conflict"

    def _is_there(self, table: str, position: Position) -> bool:
        ((count,),) = self._store.query(f"SELECT count() FROM {table} WHERE {HERE}", _here(position))
        return bool(count)


HERE: Final = "(source_topic_id = {here_topic:String} AND source_partition = {here_partition:UInt16} AND source_offset = {here_offset:UInt64})"


def _here(position: Position) -> dict[str, Any]:
    return {"here_topic": position.topic_id, "here_partition": position.partition, "here_offset": position.offset}


def _alert(event: AlertRaised) -> dict[str, Any]:
    data = event.data.model_dump()
    return data | {
        "incident_class": data["incident_class"] or "",
        "parameters": json.dumps(data["parameters"], sort_keys=True, ensure_ascii=False),
    }


def _origin(position: Position) -> dict[str, Any]:
    return {
        "source_topic": ALERTS.name,
        "source_topic_id": position.topic_id,
        "source_partition": position.partition,
        "source_offset": position.offset,
    }


def _table(row: dict[str, Any]) -> pa.Table:
    return pa.table({name: pa.array([value], TYPES.get(name)) for name, value in row.items()})
