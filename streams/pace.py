"""How old a block may become: young while the loader keeps up, older while it lags, so that inserts stay affordable.

An insert costs the same few dozen milliseconds for ten rows as for thousands (design.md, costs). A loader that lags gets
fewer and larger blocks, and none waits longer than OLDEST_MS.
"""

from __future__ import annotations

from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.kafka_options import Broker, common, reader
from schemas.topics import RISK

OLDEST_MS: Final = 4_000
MANY: Final = 3
"""Blocks a partition that wait for the loader: more make blocks older."""


def next_block_age(now_ms: int, waiting: int, partitions: int, least_ms: int) -> int:
    """The next block age, milliseconds, from how many blocks wait for the loader."""
    if waiting > MANY * partitions:
        return min(OLDEST_MS, now_ms * 2)
    if waiting <= partitions:
        return max(least_ms, now_ms // 2)
    return now_ms


class LoaderLag:
    """Counts blocks that the loader has not stored yet. Blocking: call it in a thread."""

    def __init__(self, broker: Broker, group: str) -> None:
        self._admin = KafkaAdminClient(**common(broker))
        self._consumer = KafkaConsumer(**reader(broker))
        self._group = group

    def measure(self) -> tuple[int, int]:
        """(blocks waiting, partitions) of `citybrain.risk`."""
        partitions = [TopicPartition(RISK.name, number) for number in self._consumer.partitions_for_topic(RISK.name) or ()]
        ends = self._consumer.end_offsets(partitions)
        stored = self._admin.list_group_offsets(self._group)
        offsets = stored.get(self._group, stored)
        waiting = sum(max(0, end - (offsets[p].offset if p in offsets else 0)) for p, end in ends.items())
        return waiting, len(partitions)

    def close(self) -> None:
        """Give the connections back."""
        self._consumer.close()
        self._admin.close()
