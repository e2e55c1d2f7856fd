"""The loader on a real Kafka: its position is the ledger, and trouble in one partition is no trouble of the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.consumer.subscription_state import ConsumerRebalanceListener

from schemas.alerts import encode_alert
from schemas.block import decode_block, encode_block
from schemas.errors import CitybrainError, LogTruncated, StoreRefused, StoreUnavailable
from schemas.kafka_options import Broker, busy_share, common, loader, producer
from schemas.topics import ALERTS, RISK
from sinks import loader as loader_module
from sinks.boot_clock import boot_clock
from sinks.ledger import Position, Tally
from sinks.loader import Loader, LoaderOptions, finish_joining
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.alerts import action, raised
from tests.life import admin_of, recreate
from tests.sinks.blocks import Block, bad, block, one, raw, rows_in

PATIENCE = 90.0
"""Seconds. A busy machine is slow, and slow is not wrong."""
BEGUN: list[Loading] = []


class Loading:
    """A loader in a thread. `failed` is what ended it, if it was not asked to."""

    def __init__(self, broker: Broker, store: Store, options: LoaderOptions | None = None) -> None:
        self._stop = threading.Event()
        self.failed: CitybrainError | None = None
        self.loader = Loader(broker, store, options)
        self._thread = threading.Thread(target=self._run, args=(self.loader,), daemon=True)
        self._thread.start()
        BEGUN.append(self)

    def _run(self, running: Loader) -> None:
        try:
            running.run(self._stop)
        except CitybrainError as error:
            self.failed = error

    def end(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def wait(self) -> None:
        """Until it ends by itself."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def send(broker: Broker, blocks: list[Block], partition: int = 0) -> None:
    sender = KafkaProducer(**producer(broker))
    for made in blocks:
        sender.send(RISK.name, made.value, key=b"k", headers=made.headers, partition=partition)
    sender.flush()
    sender.close()


def until(store: Store, sql: str, wanted: int, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while (found := one(store, sql)) != wanted:
        assert time.monotonic() < deadline, f"{sql}: {found}, wanted {wanted}"
        time.sleep(0.1)


EVENTS = "SELECT count() FROM events"
LEDGER = "SELECT count() FROM blocks"


@pytest.fixture(autouse=True)
def ended(store: Store) -> Iterator[None]:  # noqa: ARG001 - ended before the store is closed
    """A loader of a test that failed would keep the store, which is one a process, from all tests after it."""
    yield
    while BEGUN:
        BEGUN.pop().end()


@pytest.fixture
def eyes(store: Store, store_path: Path) -> Store:
    """A connection to look through while the loader uses the other."""
    return store.connect(str(store_path), readonly=True)


def test_a_restart_goes_on_from_the_ledger_whatever_is_committed(kafka: Broker, store: Store, eyes: Store) -> None:
    """Committed offsets are for lag displays: a wrong one loses nothing and doubles nothing."""
    send(kafka, [block([raw(n)]) for n in range(3)])
    first = Loading(kafka, store)
    until(eyes, LEDGER, 3)
    admin = KafkaAdminClient(**common(kafka))
    partition = TopicPartition(RISK.name, 0)
    committed = OffsetAndMetadata(-1, "", -1)
    while committed.offset != 3:
        committed = admin.list_group_offsets("citybrain-load")["citybrain-load"].get(partition, committed)
    assert busy_share(committed.metadata) is not None
    first.end()

    for wrong in (0, 5):
        send(kafka, [block([raw(3 + wrong)])])
        admin.alter_group_offsets("citybrain-load", {partition: OffsetAndMetadata(wrong, "", -1)})
        again = Loading(kafka, store)
        until(eyes, EVENTS, 4 if wrong == 0 else 5)
        again.end()
    admin.close()
    assert first.failed is None
    assert rows_in(store)["counts_day"] == rows_in(store)["blocks"] == 5


GOOD = block([raw(1)])
WRONG_TYPE = decode_block(GOOD.value).set_column(0, "source_offset", pa.array(["one"]))
BAD_BLOCKS = {
    "no arrow": Block(GOOD.headers, b"no arrow"),
    "tombstone": Block(GOOD.headers, None),  # type: ignore[arg-type]
    "a column of another type": Block(GOOD.headers, encode_block(WRONG_TYPE)),
}


@pytest.mark.parametrize("unreadable", list(BAD_BLOCKS.values()), ids=list(BAD_BLOCKS))
def test_a_block_nobody_can_read_stops_its_partition_alone(
    kafka: Broker, store: Store, eyes: Store, unreadable: Block, caplog: pytest.LogCaptureFixture
) -> None:
    """Not passed over, and loud; the other partition is stored before and after."""
    send(kafka, [block([raw(0)]), unreadable, block([raw(2)])])
    send(kafka, [block([raw(n)], partition=1) for n in range(3)], partition=1)
    loading = Loading(kafka, store)
    until(eyes, "SELECT count() FROM blocks WHERE risk_partition = 1", 3)
    send(kafka, [block([raw(3)], partition=1)], partition=1)
    until(eyes, "SELECT count() FROM blocks WHERE risk_partition = 1", 4)
    loading.end()

    assert loading.failed is None
    assert store.query("SELECT risk_offset FROM blocks WHERE risk_partition = 0") == [(0,)]
    loud = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert len(loud) == 1
    assert loud[0].startswith("citybrain.risk: partition 0 stops at offset 1: ")


class Away(Store):
    """A store that refuses, or stores without an answer, the first inserts whose token has `part` in it."""

    def __init__(self, store: Store, times: int, error: CitybrainError, part: str = "") -> None:
        super().__init__(store._client)
        self._times, self._error, self._part = times, error, part

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        wrong = self._times > 0 and self._part in token
        if not wrong or self._error.retryable:
            super().insert(table, rows, token)
        if wrong:
            self._times -= 1
            raise self._error


def test_a_store_that_is_away_for_a_while_holds_the_loader_up(
    kafka: Broker, store: Store, eyes: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to five times the answer is lost; then the loader leaves, and the next one stores each record once."""
    monkeypatch.setattr(loader_module, "FIRST_PAUSE_SECONDS", 0.01)
    send(kafka, [block([raw(0), bad(1)]), block([raw(2)])])
    lost = StoreUnavailable("events", 1, "answer lost")
    patient = Loading(kafka, Away(store, 5, lost))
    until(eyes, LEDGER, 2)
    patient.end()
    assert patient.failed is None

    send(kafka, [block([raw(3), bad(4)]), block([raw(5)])])
    gone = Loading(kafka, Away(store, 99, lost))
    gone.wait()
    assert isinstance(gone.failed, StoreUnavailable)
    assert "no answer in 6 tries" in str(gone.failed)

    after = Loading(kafka, store)
    until(eyes, LEDGER, 4)
    after.end()
    counted = rows_in(store)
    assert (counted["events"], counted["rejected"], counted["counts_day"], counted["cases"]) == (4, 2, 4, 4)


def test_what_the_store_refuses_for_ever_stops_the_partition_and_is_stored_after_a_restart(
    kafka: Broker, store: Store, eyes: Store, caplog: pytest.LogCaptureFixture
) -> None:
    send(kafka, [block([raw(0)])])
    send(kafka, [block([raw(1)], partition=1)], partition=1)
    refused = Loading(kafka, Away(store, 99, StoreRefused("events", "no column of this name"), "/0/0/events"))
    until(eyes, "SELECT count() FROM blocks WHERE risk_partition = 1", 1)
    while "partition 0 stops" not in caplog.text:
        time.sleep(0.05)
    refused.end()
    assert refused.failed is None
    assert "partition 0 stops at offset 0: events: refused for ever: no column of this name" in caplog.text

    after = Loading(kafka, store)
    until(eyes, LEDGER, 2)
    after.end()
    assert rows_in(store)["events"] == rows_in(store)["counts_day"] == 2


def test_records_held_past_the_session_are_dropped(
    kafka: Broker, store: Store, eyes: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another may own the partition by then: no insert begins after a poll so old, and the ledger says where to go on."""
    short = kafka.model_copy(update={"session_timeout_ms": 1_500, "heartbeat_interval_ms": 300})
    send(kafka, [block([raw(n)]) for n in range(4)])
    write, ages = BlockWriter.store, []

    def slow(self: BlockWriter, position: Position, record: Any) -> Tally:
        ages.append(boot_clock() - loading.loader._last_poll)
        time.sleep(0.9)
        return write(self, position, record)

    monkeypatch.setattr(BlockWriter, "store", slow)
    loading = Loading(short, store)
    until(eyes, LEDGER, 4)
    loading.end()

    assert max(ages) < 1.5
    assert "last poll is older than the session; dropping records held" in caplog.text
    assert rows_in(store)["events"] == rows_in(store)["counts_day"] == 4


class Assignments(ConsumerRebalanceListener):
    """Counts how often partitions were given."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer, self.given = consumer, 0

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Nothing is held."""

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.given += 1
        for partition in assigned:
            self._consumer.seek(partition, 0)
            self._consumer.pause(partition)


def test_a_join_longer_than_a_poll_is_finished(kafka: Broker) -> None:
    """Without `finish_joining` this consumer waits for ever: new partitions were seen, and each poll is too short."""
    with closing(KafkaConsumer(**loader(kafka, "joining"))) as consumer:
        listener = Assignments(consumer)
        consumer.subscribe([RISK.name], listener=listener)
        while not consumer.assignment():
            consumer.poll(timeout_ms=200)
            finish_joining(consumer)
        consumer._coordinator._assignment_snapshot = {}  # as after a change of partitions
        before, deadline = listener.given, time.monotonic() + 20
        while listener.given == before:
            assert time.monotonic() < deadline
            consumer.poll(timeout_ms=1)
            finish_joining(consumer)


def test_a_recreated_risk_topic_starts_anew_and_doubles_nothing(kafka: Broker, store: Store, eyes: Store) -> None:
    """Its offsets begin at 0 again; what the old one brought is covered."""
    for wanted in (1, 2):
        send(kafka, [block([raw(0)])] + [block([raw(1)])] * (wanted - 1))
        loading = Loading(kafka, store)
        until(eyes, EVENTS, wanted)
        until(eyes, LEDGER, 1 if wanted == 1 else 3)
        loading.end()
        recreate(kafka, RISK.name)
    assert one(store, "SELECT sum(redelivered) FROM blocks") == 1


def test_a_log_that_no_longer_holds_the_next_record_is_no_reason_to_go_on_silently(
    kafka: Broker, store: Store, eyes: Store
) -> None:
    send(kafka, [block([raw(0)])])
    first = Loading(kafka, store)
    until(eyes, LEDGER, 1)
    first.end()
    send(kafka, [block([raw(n)]) for n in (1, 2, 3)])
    with admin_of(kafka) as admin:
        admin.delete_records({TopicPartition(RISK.name, 0): 3})

    stopped = Loading(kafka, store)
    stopped.wait()
    assert isinstance(stopped.failed, LogTruncated)
    assert "offset 1, but the log starts at 3; 2 records are gone" in str(stopped.failed)
    assert one(store, LEDGER) == 1

    asked = Loading(kafka, store, LoaderOptions(skip_gone=True))
    until(eyes, LEDGER, 2)
    asked.end()
    assert store.query("SELECT source_offset FROM events ORDER BY 1") == [(0,), (3,)]


def test_alerts_are_stored_beside_blocks_and_go_on_from_the_ledger(kafka: Broker, store: Store, eyes: Store) -> None:
    """Another topic, the same protocol: a record nobody can read is a reject, a repeat is dropped, a restart repeats nothing."""
    alert = raised()
    values = [encode_alert(alert).value, b"{", encode_alert(alert).value, encode_alert(action(alert, "ack", "a")).value]
    sender = KafkaProducer(**producer(kafka))
    for value in values:
        sender.send(ALERTS.name, value, key=alert.id.encode())
    sender.flush()
    send(kafka, [block([raw(0)])])
    first = Loading(kafka, store)
    until(eyes, LEDGER, 5)
    first.end()
    sender.send(ALERTS.name, encode_alert(action(alert, "resolve", "b")).value, key=alert.id.encode())
    sender.close()
    again = Loading(kafka, store)
    until(eyes, LEDGER, 6)
    again.end()

    assert (first.failed, again.failed) == (None, None)
    assert store.query("SELECT state, version FROM v_alerts") == [("resolved", 3)]
    assert store.query("SELECT reason, source_topic, source_offset FROM rejected") == [("not_json", ALERTS.name, 1)]
    assert store.query("SELECT sum(stored), sum(repeated) FROM blocks WHERE source_topic = 'citybrain.alerts'") == [(3, 1)]
