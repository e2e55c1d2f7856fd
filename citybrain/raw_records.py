"""Single records of the raw log, by topic, partition and offset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

from schemas.errors import BrokerUnavailable
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader

WAIT_MS = 10_000
FETCH_BYTES = 262_144
"""Asked for at a time. Wanted records lie far apart: of a larger answer most would be thrown away."""


class Place(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class LogRecord(NamedTuple):
    """A record as it was sent. `headers` includes the mode of the CloudEvent; `timestamp` is milliseconds since 1970 UTC."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp: int


def fetch(broker: Broker, places: Iterable[Place]) -> Iterator[LogRecord]:
    """The records that the log still holds, in order of place; those past retention are left out."""
    consumer = open_consumer(reader(broker) | {"max_partition_fetch_bytes": FETCH_BYTES, "max_poll_records": 500})
    try:
        for (topic, number), wanted in groupby(sorted(places), key=lambda place: (place.topic, place.partition)):
            if number in (consumer.partitions_for_topic(topic) or ()):
                yield from _of_partition(consumer, TopicPartition(topic, number), [place.offset for place in wanted])
    finally:
        consumer.close()


def _of_partition(consumer: KafkaConsumer, partition: TopicPartition, offsets: list[int]) -> Iterator[LogRecord]:
    first, end = consumer.beginning_offsets([partition])[partition], consumer.end_offsets([partition])[partition]
    left = [offset for offset in offsets if first <= offset < end]
    consumer.assign([partition])
    while left:
        consumer.seek(partition, left[0])
        records = consumer.poll(timeout_ms=WAIT_MS).get(partition, [])
        if not records:
            message = f"{partition.topic}[{partition.partition}]: no answer for offset {left[0]} in {WAIT_MS / 1000:.0f} s"
            raise BrokerUnavailable(message)
        found = {record.offset: record for record in records}
        for offset in left:
            if record := found.get(offset):
                yield LogRecord(
                    Place(partition.topic, partition.partition, offset),
                    record.key,
                    record.value,
                    list(record.headers),
                    record.timestamp,
                )
        # An offset that is skipped by the log (none of ours is) would be asked for again and again.
        left = [offset for offset in left if offset > records[-1].offset]
