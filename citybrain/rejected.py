"""The dead-letter queue: what was rejected, what became of it since, and sending it again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from citybrain.raw_records import LogRecord, Place, fetch
from citybrain.reading import Query
from ingest.outgoing import CONTENT_TYPE
from ingest.producer import EventProducer
from schemas.events import Kind, event_key
from schemas.kafka_options import Broker
from schemas.topic_ids import topic_ids
from schemas.topics import RAW

KIND_OF: Final[dict[str, Kind]] = {topic.name: kind for kind, topic in RAW.items()}
PLACE: Final = "source_topic, source_partition, source_offset, source_topic_id"
PAGE: Final = 1_000
"""Rejects held at a time; each may keep 64 KiB."""

ACCEPTED: Final = (
    "(JSONExtractString(body, 'source'), JSONExtractString(body, 'id')) IN (SELECT source, id FROM events WHERE event_key IN "
    "(SELECT xxh3(concat(JSONExtractString(body, 'source'), '\\n', JSONExtractString(body, 'id'))) FROM rejected))"
)
"""Whether the rejected event is in `events` by now: a later record of it was good. Records without a body name no event."""


class Choice(NamedTuple):
    """Which rejects are meant; None means any."""

    reason: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    since: str | None = None
    limit: int | None = None

    def where(self) -> str:
        """The condition in SQL; texts are quoted, numbers are numbers."""
        parts = [
            f"reason = {_quoted(self.reason)}" if self.reason else "",
            f"source_topic = {_quoted(self.topic)}" if self.topic else "",
            f"source_partition = {int(self.partition)}" if self.partition is not None else "",
            f"source_offset = {int(self.offset)}" if self.offset is not None else "",
            f"received_at >= parseDateTime64BestEffort({_quoted(self.since)}, 3, 'UTC')" if self.since else "",
        ]
        return " AND ".join(part for part in parts if part) or "1"


class Retried(NamedTuple):
    """What a retry did, in records of `rejected`; they add up to what was chosen."""

    sent: int = 0
    accepted_before: int = 0
    """their event is in `events` already"""
    copies: int = 0
    """the same bytes as one that is sent: a record retried before and rejected again"""
    gone: int = 0
    """the raw topic holds them no more, and the store has not kept them whole"""
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
    limit = "" if choice.limit is None else f"LIMIT {choice.limit}"
    return _rows(
        query,
        f"SELECT source_topic, source_partition, source_offset, reason, detail, length, received_at, {ACCEPTED} AS accepted_since "
        f"FROM rejected WHERE {choice.where()} ORDER BY received_at DESC, source_offset DESC {limit}",
    )


def with_bodies(query: Query, broker: Broker, choice: Choice) -> Iterator[dict[str, Any]]:
    """Everything known of each record. `value_base64`: the bytes as sent, while the raw topic holds them."""
    for row, record in _with_records(query, broker, choice):
        value = None if record is None or record.value is None else base64.b64encode(record.value).decode()
        yield row | {"value_base64": value}


def retry(
    query: Query, broker: Broker, choice: Choice, *, dry_run: bool = False, progress: Callable[[int], None] = lambda _: None
) -> Retried:
    """Send records again, byte for byte, to the partition they came from.

    A good one is stored once, however often it is retried: source, id and partition stay. Past the log's retention the body
    that the store kept is sent, when it is whole: the same event without its person fields.
    """
    done = Retried()
    known: set[bytes] = set()
    with EventProducer(broker) as producer:
        for number, (row, record) in enumerate(_with_records(query, broker, choice), 1):
            ready = record or _kept(row)
            if row["accepted_since"]:
                done = done._replace(accepted_before=done.accepted_before + 1)
            elif ready is None:
                done = done._replace(gone=done.gone + 1)
            elif (digest := _digest(ready)) in known:
                done = done._replace(copies=done.copies + 1)
            else:
                known.add(digest)
                done = done._replace(sent=done.sent + 1)
                if not dry_run:
                    where = ready.place
                    partition = where.partition if row["alive"] else None
                    producer.send_record(KIND_OF[where.topic], ready.key, ready.value, ready.headers, partition)
            progress(number)
        producer.flush()
        return done if dry_run else done._replace(sent=producer.delivered, failed=producer.sent - producer.delivered)


def _kept(row: dict[str, Any]) -> LogRecord | None:
    """The record as the store kept it, without person fields; None when it was cut or kept no body."""
    try:
        event = json.loads(row["body"])
        key = event_key(event["source"], event["id"])
    except (ValueError, KeyError, TypeError):
        return None
    return LogRecord(_place(row), key, row["body"].encode(), [CONTENT_TYPE], 0)


def _digest(record: LogRecord) -> bytes:
    """What makes two records copies: partition and bytes; not offset or arrival."""
    same = record.place.topic, record.place.partition, record.key, record.value, record.headers
    return blake2b(repr(same).encode(), digest_size=16).digest()


def _with_records(query: Query, broker: Broker, choice: Choice) -> Iterator[tuple[dict[str, Any], LogRecord | None]]:
    """Chosen rejects in order of place, each with its record while the log holds it. `alive`: of the topic that is there now."""
    ids = topic_ids(broker, list(KIND_OF))
    for page in _pages(query, choice):
        rows = [row | {"alive": ids.get(row["source_topic"]) == row["source_topic_id"]} for row in page]
        records = fetch(broker, [_place(row) for row in rows if row["alive"]])
        record = next(records, None)
        for row in rows:
            if row["alive"] and record and record.place == _place(row):
                yield row, record
                record = next(records, None)
            else:
                yield row, None


def _pages(query: Query, choice: Choice) -> Iterator[list[dict[str, Any]]]:
    """What is rejected now; what is rejected again meanwhile is left for the next time."""
    now = int(query("SELECT toUnixTimestamp64Milli(now64(3))", "TSV"))
    left = choice.limit
    after = "1"
    while left is None or left > 0:
        page = _rows(
            query,
            f"SELECT source_topic, source_partition, source_offset, source_topic_id, reason, detail, length, sha256, received_at, "
            f"stored_at, toValidUTF8(body) AS body, {ACCEPTED} AS accepted_since FROM rejected "
            f"WHERE {choice.where()} AND stored_at <= fromUnixTimestamp64Milli({now}) AND {after} "
            f"ORDER BY {PLACE} LIMIT {PAGE if left is None else min(PAGE, left)}",
        )
        if not page:
            return
        yield page
        left = None if left is None else left - len(page)
        last = page[-1]
        place = f"{int(last['source_partition'])}, {int(last['source_offset'])}, {_quoted(last['source_topic_id'])}"
        after = f"({PLACE}) > ({_quoted(last['source_topic'])}, {place})"


def _place(row: dict[str, Any]) -> Place:
    return Place(row["source_topic"], int(row["source_partition"]), int(row["source_offset"]))


def _rows(query: Query, sql: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in query(sql, "JSONEachRow").splitlines()]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
