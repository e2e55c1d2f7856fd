"""The loader: `citybrain.risk` and `citybrain.alerts` into ClickHouse, each record once in effect. Its position is the ledger."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError

from schemas import metrics
from schemas.errors import BadBlock, BrokerUnavailable, LogTruncated, StoreRefused, StoreUnavailable
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import LOADER_GROUP, Broker, busy_metadata, loader
from schemas.topic_ids import topic_ids
from schemas.topics import ALERTS, RISK
from sinks.alert_writer import AlertWriter, Redact
from sinks.boot_clock import boot_clock
from sinks.busy_share import BusyShare
from sinks.holds import Watcher
from sinks.ledger import Ledger, Position, Tally
from sinks.maintenance import held
from sinks.migrate import check_store
from sinks.relabel import NotFinished, check_finished
from sinks.restoring import check_restored
from sinks.store import Store
from sinks.writer import BlockWriter, HalfStoredLongAgo

log = logging.getLogger(__name__)

POLL_MS = 200
TRIES = 6
FIRST_PAUSE_SECONDS = 0.2
COMMIT_EVERY_SECONDS = 1.0


def _nothing() -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """`group` only shares partitions out among loaders and shows lag. `skip_gone`: see LogTruncated.

    `redact` cuts persons out of the notes of actions; None: notes are dropped. `begun` is called while records wait, `advanced`
    when one is stored or none waits: for a watchdog.
    """

    group: str = LOADER_GROUP
    skip_gone: bool = False
    redact: Redact | None = None
    begun: Callable[[], None] = _nothing
    advanced: Callable[[], None] = _nothing


class Writer(Protocol):
    """Stores records of one partition, in order; the same record again changes nothing."""

    def check_half_stored(self, position: Position) -> None:
        """HalfStoredLongAgo when the record at `position` was begun so long ago that it may not be written again."""

    def store(self, position: Position, record: Any) -> Tally:
        """Store one record of Kafka and enter it in the ledger."""


TOPICS: Final = (RISK.name, ALERTS.name)


class Loader:
    """Reads records of the partitions it is given and writes each through a Writer of its topic."""

    def __init__(self, broker: Broker, store: Store, options: LoaderOptions | None = None) -> None:
        self._broker, self._store = broker, store
        self._options = options or LoaderOptions()
        self._writers: dict[TopicPartition, Writer] = {}
        self._next: dict[TopicPartition, int] = {}
        self._topic_ids: dict[str, str] = {}
        self._last_poll = 0.0
        self._assigned: list[TopicPartition] = []
        self._watcher = Watcher(store, "")

    def run(self, stop: threading.Event) -> None:
        """Load until `stop` is set. Raises what a restart or a person has to deal with."""
        check_store(self._store)
        while not stop.is_set():
            try:
                self._run(stop)
            except HalfStoredLongAgo as found:
                log.warning("%s", found)
                with closing(self._store.again()) as patient:
                    with held(self._broker, patient, f"record {found.position.offset} half stored", self._options.group):
                        log.info("%s is complete", found.position)
            except NotFinished as found:
                log.warning("%s; finishing it", found)
                with closing(self._store.again()) as patient:
                    with held(self._broker, patient, "a reclassification not finished", self._options.group):
                        log.info("history is labelled again")

    def has_first(self) -> bool:
        """Whether this loader stores the first partition of citybrain.risk: one of all loaders does what only one should do."""
        return TopicPartition(RISK.name, 0) in self._writers

    def _run(self, stop: threading.Event) -> None:
        member = f"{self._options.group}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._watcher = Watcher(self._store, member)
        self._writers.clear()  # of the partitions of an earlier membership
        self._assigned = []
        consumer = open_consumer(loader(self._broker, self._options.group, member))
        try:
            consumer.subscribe(list(TOPICS), listener=_Listener(self, consumer))
            self._loop(consumer, stop)
        except KafkaError as error:
            message = f"{self._broker.bootstrap}: {error!r}"
            raise BrokerUnavailable(message) from error
        finally:
            consumer.close(autocommit=False)

    def _loop(self, consumer: KafkaConsumer, stop: threading.Event) -> None:
        share = BusyShare()
        while not stop.is_set():
            polled = consumer.poll(timeout_ms=POLL_MS)
            finish_joining(consumer)
            self._last_poll = boot_clock()
            (self._options.begun if polled or self._behind(consumer) else self._options.advanced)()
            if self._watcher.held(now=bool(self._assigned)):
                self._options.advanced()
                self.expect(consumer, list(consumer.assignment()))
                continue
            if self._assigned:
                check_restored(self._store)
                check_finished(self._store)
                self.assign(consumer, self._assigned)
                self._assigned = []
                continue
            with share.storing():
                for partition, records in polled.items():
                    for record in records:
                        if not self._store_one(consumer, partition, record):
                            break
            if self._writers and (busy := share.each(COMMIT_EVERY_SECONDS)) is not None:
                metadata = busy_metadata(busy)
                consumer.commit_async({p: OffsetAndMetadata(self._next[p], metadata, -1) for p in self._writers})
            self._show_lag(consumer)

    def _store_one(self, consumer: KafkaConsumer, partition: TopicPartition, record: object) -> bool:
        """Write one record, trying again while the store is away. False: this batch of the partition is over."""
        offset: int = record.offset  # type: ignore[attr-defined]
        position = Position(self._topic_ids[partition.topic], partition.partition, offset)
        for attempt in range(TRIES):
            if not self._session_alive() or partition not in self._writers:
                # Another member may own the partition by now: drop what is held and go on from the ledger.
                log.warning("last poll is older than the session; dropping records held of %s", partition)
                if partition in self._writers:
                    self.assign(consumer, [partition])
                return False
            try:
                self._writers[partition].store(position, record)
            except StoreUnavailable as error:
                log.warning("%s; try %d of %d", error, attempt + 1, TRIES)
                time.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, self._broker.session_timeout_ms / 3000))
                consumer_is_ours = partition in self._writers
                if not consumer_is_ours:
                    return False
            except (StoreRefused, BadBlock) as error:
                log.critical("%s: partition %d stops at offset %d: %s", partition.topic, partition.partition, offset, error)
                consumer.pause(partition)
                return False
            else:
                self._next[partition] = offset + 1
                self._options.advanced()
                return True
        raise StoreUnavailable(
            "events", 0, f"no answer in {TRIES} tries; leaving, so that the record is stored after a restart"
        )

    def _session_alive(self) -> bool:
        """Whether the group can still believe in us (docs/decisions/0012), by the boot clock: it runs on in a sleep."""
        return boot_clock() - self._last_poll < self._broker.session_timeout_ms / 1000

    def assign(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        """Take partitions over: forget what was known of them and go to the record after the ledger's last."""
        self._topic_ids |= topic_ids(self._broker, {partition.topic for partition in partitions})
        starts = consumer.beginning_offsets(partitions)
        for partition in partitions:
            topic_id = self._topic_ids[partition.topic]
            known = Ledger(self._store).next_offset(topic_id, partition.partition)
            first = starts[partition]
            if known is not None and known < first:
                gone = LogTruncated(partition.topic, partition.partition, known, first)
                if not self._options.skip_gone:
                    raise gone
                log.critical("%s; going on, as asked by --skip-gone", gone)
            offset = first if known is None else max(first, known)
            writer = self._writer_of(partition.topic)
            writer.check_half_stored(Position(topic_id, partition.partition, offset))
            consumer.seek(partition, offset)
            consumer.resume(partition)
            self._writers[partition], self._next[partition] = writer, offset
            log.info("storing %s[%d] from offset %d", partition.topic, partition.partition, offset)

    def revoke(self, partitions: list[TopicPartition]) -> None:
        """Let partitions go."""
        for partition in partitions:
            self._writers.pop(partition, None)

    def expect(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        """Hold newly given partitions back until the loop has found their position; a callback may not ask Kafka."""
        for partition in partitions:
            consumer.seek(partition, 0)
            consumer.pause(partition)
        self._assigned = partitions

    def _behind(self, consumer: KafkaConsumer) -> bool:
        """Whether records wait in a partition that is not stopped."""
        return any((consumer.highwater(p) or 0) > self._next[p] for p in self._writers.keys() - consumer.paused())

    def _show_lag(self, consumer: KafkaConsumer) -> None:
        for partition in self._writers:
            end = consumer.highwater(partition)
            if end is not None:
                metrics.LAG.labels(partition.topic, str(partition.partition)).set(max(0, end - self._next[partition]))

    def _writer_of(self, topic: str) -> Writer:
        return AlertWriter(self._store, self._options.redact) if topic == ALERTS.name else BlockWriter(self._store)


class _Listener(ConsumerRebalanceListener):
    """Hands partitions to the loader; position and state come from the ledger at every assignment."""

    def __init__(self, loader_: Loader, consumer: KafkaConsumer) -> None:
        self._loader, self._consumer = loader_, consumer

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self._loader.revoke(list(revoked))

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self._loader.expect(self._consumer, list(assigned))


def finish_joining(consumer: KafkaConsumer) -> None:
    """Make the next poll go on with a join that this one began; call it after every poll.

    A join that new partitions or late metadata caused is forgotten by kafka-python 3.0.12 when the time of a poll ends
    between JoinGroup and SyncGroup: no partitions, no heartbeats and no error, for ever.
    """
    coordinator = consumer._coordinator  # noqa: SLF001  nothing public tells or asks this
    if coordinator.rejoining:
        coordinator.request_rejoin()
