"""Which offsets of the raw log the ledger covers, and which it does not."""

from __future__ import annotations

import json
from typing import NamedTuple

from kafka import TopicPartition

from citybrain.audit.raw_log import log_ends
from citybrain.reading import Query
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topic_ids import topic_ids
from schemas.topics import RAW
from sinks.covered import Covered

NAMES = [topic.name for topic in RAW.values()]


class Coverage(NamedTuple):
    """One raw partition. `holes`: uncovered offsets (both ends included) before the last covered one, oldest kept first."""

    topic: str
    partition: int
    start: int
    end: int
    next: int
    holes: list[tuple[int, int]]

    @property
    def behind(self) -> int:
        """Records after the last covered one."""
        return max(0, self.end - self.next)

    @property
    def missing(self) -> int:
        """Records in holes."""
        return sum(last - first + 1 for first, last in self.holes)


def coverage(query: Query, broker: Broker) -> list[Coverage]:
    """Compare the log with the ledger, every raw partition. Records past retention are no holes: nothing can fill them."""
    ids = topic_ids(broker, NAMES)
    ends = log_ends(broker, NAMES)
    starts = _log_starts(broker, list(ends))
    known: dict[tuple[str, int], Covered] = {}
    sql = "SELECT source_topic_id, source_partition, first_offset, last_offset FROM blocks"
    for line in query(sql, "JSONCompactEachRow").splitlines():
        topic_id, partition, first, last = json.loads(line)
        known.setdefault((topic_id, partition), Covered()).add(int(first), int(last))
    found = []
    for (topic, partition), end in sorted(ends.items()):
        covered = known.get((ids[topic], partition), Covered())
        found.append(_of_partition(topic, partition, starts[topic, partition], end, covered))
    return found


def _of_partition(topic: str, partition: int, start: int, end: int, covered: Covered) -> Coverage:
    if covered.last is None:
        return Coverage(topic, partition, start, end, start, [])
    # What retention removed counts as covered here: a hole is what reading again can fill.
    whole = Covered([(-1, start - 1), *covered.ranges()])
    return Coverage(topic, partition, start, end, covered.last + 1, whole.holes())


def _log_starts(broker: Broker, partitions: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
    consumer = open_consumer(reader(broker))
    try:
        found = consumer.beginning_offsets([TopicPartition(*partition) for partition in partitions])
        return {(partition.topic, partition.partition): start for partition, start in found.items()}
    finally:
        consumer.close()
