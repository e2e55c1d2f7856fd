"""The dead-letter queue: what was rejected, what became of it since, and sending it again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from citybrain.audit.raw_log import topic_ids
from citybrain.raw_records import LogRecord, Place, fetch
from citybrain.reading import Query
from ingest.producer import EventProducer
from schemas.events import Kind
from schemas.kafka_options import Broker
from schemas.topics import RAW

KIND_OF: dict[str, Kind] = {topic.name: kind for kind, topic in RAW.items()}

ACCEPTED = (
    "(JSONExtractString(body, 'source'), JSONExtractString(body, 'id')) IN (SELECT source, id FROM events WHERE event_key IN "
    "(SELECT xxh3(concat(JSONExtractString(body, 'source'), '\\n', JSONExtractString(body, 'id'))) FROM rejected))"
)
"""Whether the rejected event is in `events` by now: a later record of it was good. Records that are not JSON name no event."""


class Choice(NamedTuple):
    """Which rejects are meant; None means any."""

    reason: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    since: str | None = None
    limit: int = 1000

    def where(self) -> str:
        """The condition in SQL; texts are quoted, numbers are numbers."""
        parts = [
            f"reason = {_quoted(self.reason)}" if self.reason else "",
            f"source_topic = {_quoted(self.topic)}" if self.topic else "",
            f"source_partition = {int(self.partition)}" if self.partition is not None else "",
            f"source_offset = {int(self.offset)}" if self.offset is not None else "",
            f"received_at >= parseDateTimeBestEffort({_quoted(self.since)})" if self.since else "",
        ]
        return " AND ".join(part for part in parts if part) or "1"


class Retried(NamedTuple):
    """What a retry did, in records."""

    sent: int = 0
    accepted_before: int = 0
    """their event is in `events` already"""
    gone: int = 0
    """past the raw topic's retention, or of an earlier life of the topic"""
    failed: int = 0
    """Kafka did not confirm them"""


def counts(query: Query, choice: Choice) -> list[dict[str, Any]]:
    """Records by reason and topic, and how many of them were accepted since."""
    return _rows(
        query,
        f"SELECT reason, source_topic, count() AS records, countIf({ACCEPTED}) AS accepted_since, max(received_at) AS newest "
        f"FROM rejected WHERE {choice.where()} GROUP BY reason, source_topic ORDER BY records DESC, reason, source_topic",
    )


def newest(query: Query, choice: Choice) -> list[dict[str, Any]]:
    """Single records without their bodies, newest first."""
    return _rows(
        query,
        f"SELECT source_topic, source_partition, source_offset, reason, detail, length, received_at, {ACCEPTED} AS accepted_since "
        f"FROM rejected WHERE {choice.where()} ORDER BY received_at DESC, source_offset DESC LIMIT {choice.limit}",
    )


def with_bodies(query: Query, broker: Broker, choice: Choice) -> Iterator[dict[str, Any]]:
    """Everything known of each record. `value_base64`: the bytes as sent, while the raw topic holds them."""
    rows = _chosen(query, broker, choice)
    raw = {record.place: record for record in fetch(broker, [_place(row) for row in rows if row["alive"]])}
    for row in rows:
        record = raw.get(_place(row))
        value = None if record is None or record.value is None else base64.b64encode(record.value).decode()
        yield {name: content for name, content in row.items() if name != "alive"} | {"value_base64": value}


def retry(
    query: Query, broker: Broker, choice: Choice, *, dry_run: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Retried:
    """Send records again, byte for byte. A good one is stored once, however often it is retried: it keeps source and id."""
    rows = _chosen(query, broker, choice)
    open_rows = [row for row in rows if not row["accepted_since"]]
    places = [_place(row) for row in open_rows if row["alive"]]
    records = list(fetch(broker, places))
    done = Retried(len(records), len(rows) - len(open_rows), len(open_rows) - len(records))
    if dry_run or not records:
        return done
    with EventProducer(broker) as producer:
        for number, record in enumerate(records, 1):
            _send(producer, record)
            progress(number)
        producer.flush()
        return done._replace(sent=producer.delivered, failed=producer.failed)


def _send(producer: EventProducer, record: LogRecord) -> None:
    producer.send_record(KIND_OF[record.place.topic], record.key, record.value, record.headers)


def _chosen(query: Query, broker: Broker, choice: Choice) -> list[dict[str, Any]]:
    ids = topic_ids(broker, list(KIND_OF))
    rows = _rows(
        query,
        f"SELECT source_topic, source_partition, source_offset, source_topic_id, reason, detail, length, sha256, received_at, "
        f"stored_at, body, {ACCEPTED} AS accepted_since FROM rejected WHERE {choice.where()} "
        f"ORDER BY source_topic, source_partition, source_offset LIMIT {choice.limit}",
    )
    return [row | {"alive": ids.get(row["source_topic"]) == row["source_topic_id"]} for row in rows]


def _place(row: dict[str, Any]) -> Place:
    return Place(row["source_topic"], int(row["source_partition"]), int(row["source_offset"]))


def _rows(query: Query, sql: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in query(sql, "JSONEachRow").splitlines()]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
