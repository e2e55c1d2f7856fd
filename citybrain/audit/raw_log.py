"""The raw log, read by the audit's own parser: which records exist, and which event each one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
import orjson
import xxhash
from kafka import TopicPartition
from numpy.typing import NDArray

from citybrain.audit.record_reader import RecordReader
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topic_ids import topic_ids

UNREADABLE = 0
"""Key of a record that names no event."""


class LogPart(NamedTuple):
    """One partition: the records from `start` (oldest kept) to before `end`. Offsets ascend; gaps are no records."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int
    offsets: NDArray[np.int64]
    keys: NDArray[np.uint64]


class _Part(NamedTuple):
    offsets: list[int]
    keys: list[int]

    def take(self, offset: int, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        self.offsets.append(offset)
        self.keys.append(event_key(value, headers))


def event_key(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> int:
    """XXH3 of source, line end, id; UNREADABLE when the record names neither in binary nor in structured mode."""
    try:
        named = {name.lower(): content for name, content in headers}
        structured = named.get("content-type", b"").lower().startswith(b"application/cloudevents")
        if "ce_specversion" in named and not structured:
            source, event_id = named["ce_source"].decode(), named["ce_id"].decode()
        else:
            document = orjson.loads(value or b"")
            source, event_id = document["source"], document["id"]
        return xxhash.xxh3_64_intdigest(f"{source}\n{event_id}".encode())
    except (orjson.JSONDecodeError, KeyError, TypeError, UnicodeError):
        return UNREADABLE


def read_log(
    broker: Broker, topics: Sequence[str], upto: Callable[[str, int], int], progress: Callable[[int], None]
) -> Iterator[LogPart]:
    """Every partition of the topics, whole. `upto(topic_id, partition)` is the first offset not to read."""
    ids = topic_ids(broker, topics)
    with closing(open_consumer(reader(broker))) as consumer, RecordReader(broker) as records:
        for topic in topics:
            for number in sorted(consumer.partitions_for_topic(topic) or ()):
                partition = TopicPartition(topic, number)
                start = consumer.beginning_offsets([partition])[partition]
                end = min(consumer.end_offsets([partition])[partition], max(start, upto(ids[topic], number)))
                part = _Part([], [])
                records.read(partition, start, end, part.take, progress)
                yield LogPart(
                    topic, ids[topic], number, start, end, np.array(part.offsets, np.int64), np.array(part.keys, np.uint64)
                )


def log_ends(broker: Broker, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """Next offset of every partition."""
    with closing(open_consumer(reader(broker))) as consumer:
        partitions = [TopicPartition(topic, n) for topic in topics for n in consumer.partitions_for_topic(topic) or ()]
        return {(p.topic, p.partition): end for p, end in consumer.end_offsets(partitions).items()}
