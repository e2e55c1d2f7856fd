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
from typing import Any, Final, NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, KafkaError, NotCoordinatorError

from schemas.errors import CitybrainError, RecordsGone
from schemas.kafka_clients import open_admin
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


class Topic(NamedTuple):
    """A topic as it is now: its UUID, as text, and its partitions."""

    id: str
    partitions: frozenset[TopicPartition]


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

    def existing(self, topics: Collection[str]) -> dict[str, Topic]:
        """Those of the topics that there are."""
        found = self._ask(lambda admin: admin.describe_topics(list(topics)))
        return {
            topic["name"]: Topic(
                str(topic["topic_id"]),
                frozenset(TopicPartition(topic["name"], partition["partition_index"]) for partition in topic["partitions"]),
            )
            for topic in found
            if not topic["error_code"]
        }

    def taken(self, group: str) -> frozenset[TopicPartition] | None:
        """Partitions that a member of the group has; None while they are being shared out."""
        found = self._ask(lambda admin: admin.describe_groups([group]))[group]
        if found["group_state"] != "Stable":
            return None
        had = [member["member_assignment"] for member in found["members"] if member["member_assignment"]]  # empty: it has none
        return frozenset(
            TopicPartition(topic["topic"], partition)
            for assignment in had
            for topic in assignment["assigned_partitions"]
            for partition in topic["partitions"]
        )

    def check_committed(
        self, group: str, ids: dict[str, str], partitions: Collection[tuple[str, int]]
    ) -> Collection[TopicPartition]:
        """RecordsGone when a partition's log starts behind what the group has to read next.

        Partitions whose committed offset says that it is of another life of their topic are returned: it means nothing.
        """
        wanted = [TopicPartition(*partition) for partition in partitions]
        committed = self._ask(lambda admin: admin.list_group_offsets({group: wanted}))[group]
        known = {tp: found for tp, found in committed.items() if found.offset >= 0}
        stale = {tp for tp, found in known.items() if (found.metadata or ids.get(tp.topic)) != ids.get(tp.topic)}
        self.check_starts({tp: found.offset for tp, found in known.items() if tp not in stale})
        return stale

    def check_starts(self, wanted: dict[TopicPartition, int]) -> None:
        """RecordsGone when a log starts behind the offset that is wanted of it."""
        starts = self._ask(lambda admin: admin.list_partition_offsets(dict.fromkeys(wanted, OffsetSpec.EARLIEST)))
        for partition, offset in wanted.items():
            if starts[partition].offset > offset:
                gone = RecordsGone(partition.topic, partition.partition, offset, starts[partition].offset)
                if not self._skip_gone:
                    raise gone
                log.critical("%s; going on, as asked by --skip-gone", gone)

    def close(self) -> None:
        """Give the connection back; asked again, it is opened again."""
        with self._lock:
            if self._admin is not None:
                self._admin.close()
            self._admin = None

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        deadline = time.monotonic() + COMING_SECONDS
        with self._lock:
            while True:
                if self._admin is None:
                    self._admin = open_admin(common(self._broker))
                try:
                    return question(self._admin)
                except KafkaError as error:
                    self._admin.close()
                    self._admin = None
                    if not isinstance(error, COMING) or time.monotonic() > deadline:
                        raise
                time.sleep(COMING_PAUSE_SECONDS)
