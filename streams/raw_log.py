"""What a worker asks of Kafka beside reading: which life of a topic its records are of, and whether the next ones are still there.

A block names its topic by UUID, and offsets covered under one UUID are never stored again: records of a topic that was deleted
and made again would be dropped under the id of the old one. So the id is asked before a partition's first record is fetched, and
again when a block is made; only when both are equal were all records between them of that life (docs/decisions/0040).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, KafkaError, NotCoordinatorError

from schemas.errors import CitybrainError, RecordsGone
from schemas.kafka_options import Broker, common

COMING: Final = (CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError)
"""Pass by themselves, as on a broker that is new or came back."""
COMING_SECONDS: Final = 15.0
COMING_PAUSE_SECONDS: Final = 0.3

log = logging.getLogger(__name__)


class TopicReplaced(CitybrainError):
    """A topic was deleted and made again while it was read; what was fetched may be of either life."""

    retryable = True

    def __init__(self, topic: str, before: str, now: str) -> None:
        super().__init__(topic, before, now)
        self.topic, self.before, self.now = topic, before, now

    def __str__(self) -> str:
        now = f"now it is {self.now}" if self.now else "now there is none"
        return f"{self.topic} was deleted and made again while it was read: its id was {self.before or 'unknown'}, {now}"


class RawLog:
    """Asks over one connection. Safe from several threads. KafkaError when Kafka does not answer or a topic is not there."""

    def __init__(self, broker: Broker, *, skip_gone: bool = False) -> None:
        self._broker, self._skip_gone = broker, skip_gone
        self._lock = threading.Lock()
        self._admin: Any = None

    def ids(self, topics: Collection[str]) -> dict[str, str]:
        """UUID of each topic, as text."""
        found = self._ask(lambda admin: admin.describe_topics(list(topics)))
        return {topic["name"]: str(topic["topic_id"]) for topic in found}

    def check_life(self, topic: str, before: str) -> str:
        """The UUID, when it is what it was `before` the records were fetched; else TopicReplaced."""
        now = self.ids([topic]).get(topic, "")
        if not now or now != before:
            raise TopicReplaced(topic, before, now)
        return now

    def check_committed(self, group: str, partitions: Collection[tuple[str, int]]) -> None:
        """RecordsGone when a partition's log starts behind what the group has to read next."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        committed = self._ask(lambda admin: admin.list_group_offsets({group: wanted}))[group]
        self.check_starts({tp: known.offset for tp, known in committed.items() if known.offset >= 0})

    def check_starts(self, wanted: dict[TopicPartition, int]) -> None:
        """RecordsGone when a log starts behind the offset that is wanted of it."""
        starts = self._ask(lambda admin: admin.list_partition_offsets(dict.fromkeys(wanted, OffsetSpec.EARLIEST)))
        for partition, offset in wanted.items():
            if starts[partition].offset > offset:
                gone = RecordsGone(partition.topic, partition.partition, offset, starts[partition].offset)
                if not self._skip_gone:
                    raise gone
                log.critical("%s; going on, as asked by --skip-gone", gone)

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        deadline = time.monotonic() + COMING_SECONDS
        with self._lock:
            while True:
                if self._admin is None:
                    self._admin = KafkaAdminClient(**common(self._broker))
                try:
                    return question(self._admin)
                except KafkaError as error:
                    self._admin.close()
                    self._admin = None
                    if not isinstance(error, COMING) or time.monotonic() > deadline:
                        raise
                time.sleep(COMING_PAUSE_SECONDS)
