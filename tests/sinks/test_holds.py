"""Maintenance holds loaders between two records, and a record half stored long ago is completed by the loader itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.audit.aggregates import recounts
from schemas.block import BlockHeader
from schemas.errors import StoreUnavailable
from schemas.kafka_options import Broker
from schemas.topic_ids import topic_ids
from schemas.topics import RISK
from sinks import holds, writer
from sinks.holds import Hold, HoldLost, Holds, Watcher
from sinks.ledger import Position
from sinks.maintenance import NotHeld, held
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.sinks.blocks import bad, block, one, raw, rows_in
from tests.sinks.test_half_stored import without
from tests.sinks.test_loader import EVENTS, LEDGER, Loading, send, until


@pytest.fixture
def store(store: Store) -> Store:
    """No hold stands from an earlier test."""
    for table in ("holds", "holds_seen"):
        store.command(f"TRUNCATE TABLE {table}")
    return store


@pytest.fixture
def eyes(store: Store, store_path: Path) -> Iterator[Store]:
    """A connection to look and work through while the loader uses the other."""
    found = store.connect(str(store_path))
    yield found
    found.close()


def test_a_held_loader_stores_nothing_and_goes_on_afterwards(kafka: Broker, store: Store, eyes: Store) -> None:
    """It stays a member meanwhile, and reads its position again: maintenance may have changed the ledger."""
    send(kafka, [block([raw(0)])])
    loading = Loading(kafka, store)
    until(eyes, LEDGER, 1)

    with held(kafka, eyes, "a test") as hold:
        send(kafka, [block([raw(n)]) for n in (1, 2)])
        time.sleep(3.0)
        hold.check()
        assert one(eyes, EVENTS) == 1
        assert len(hold.acknowledged()) == 1
        topic_id = topic_ids(kafka, [RISK.name])[RISK.name]
        BlockWriter(eyes).write(Position(topic_id, 0, 1), *block([raw(1)]))  # as maintenance may do

    until(eyes, LEDGER, 3)
    loading.end()
    assert loading.failed is None
    assert rows_in(store)["events"] == rows_in(store)["counts_day"] == 3


def test_a_loader_that_starts_under_a_hold_waits_before_its_first_insert(kafka: Broker, store: Store, eyes: Store) -> None:
    send(kafka, [block([raw(0)])])
    with held(kafka, eyes, "a test") as hold:
        loading = Loading(kafka, store)
        while not hold.acknowledged():
            time.sleep(0.1)
        assert one(eyes, EVENTS) == 0
    until(eyes, EVENTS, 1)
    loading.end()


def test_a_hold_whose_owner_died_ends_by_itself(kafka: Broker, store: Store, eyes: Store) -> None:
    Holds(eyes).write("orphan", "a test", 4.0)
    send(kafka, [block([raw(0)])])
    loading = Loading(kafka, store)
    until(eyes, "SELECT count() FROM holds_seen WHERE hold_id = 'orphan'", 1)
    assert one(eyes, EVENTS) == 0

    until(eyes, EVENTS, 1)
    loading.end()
    assert Holds(store).in_force() is None


def test_a_loader_that_does_not_wait_is_named_and_nothing_is_done(
    kafka: Broker, store: Store, eyes: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.maintenance.PATIENCE_SECONDS", 2.0)
    send(kafka, [block([raw(0)])])
    monkeypatch.setattr(Watcher, "held", lambda *_, **__: False)
    loading = Loading(kafka, store)
    until(eyes, LEDGER, 1)

    with pytest.raises(NotHeld, match=r"loaders citybrain-load-\S+ do not wait after 2 s; nothing was changed"):
        with held(kafka, eyes, "a test"):
            pytest.fail("it holds nobody")
    loading.end()
    assert Holds(store).in_force() is None


def test_one_hold_at_a_time(kafka: Broker, store: Store, eyes: Store) -> None:
    """The later one waits until the first is given back."""
    done: list[str] = []

    def second() -> None:
        with held(kafka, eyes, "second"):
            done.append("second")

    with held(kafka, store, "first"):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(1.5)
        done.append("first")
    waiting.join(20)
    assert done == ["first", "second"]


def test_a_hold_that_cannot_be_kept_up_stops_the_maintenance(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "KEEP_SECONDS", 0.1)
    monkeypatch.setattr(holds, "LASTS_SECONDS", 3.0)
    hold = Hold(store, "a test")
    time.sleep(3.0)
    hold.check()

    def away(*_: object) -> None:
        raise StoreUnavailable("holds", 1, "away")

    monkeypatch.setattr(Holds, "write", away)
    time.sleep(2.0)
    with pytest.raises(HoldLost, match=r"the hold for a test was last kept up \d s ago"):
        hold.check()
    hold.release()


def test_a_watcher_that_cannot_look_does_not_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(store, "me")
    assert not watcher.held()

    def away(*_: object) -> None:
        raise StoreUnavailable("query", 0, "away")

    monkeypatch.setattr(Holds, "in_force", away)
    assert not watcher.held(), "not yet time to look again"
    assert watcher.held(now=True)
    monkeypatch.undo()
    assert not watcher.held(now=True)


@pytest.mark.parametrize("missing", [("counts_minute", "counts_day", "cases"), ()], ids=["views missing", "ledger row missing"])
def test_the_loader_completes_a_record_half_stored_long_ago(
    kafka: Broker, store: Store, eyes: Store, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Automatically, while another loader that runs is held for it; nothing is lost, nothing twice."""
    monkeypatch.setattr(writer, "MOST_BLOCKS_SINCE", 2)
    topic_id = topic_ids(kafka, [RISK.name])[RISK.name]
    begun = block([raw(0), raw(1), bad(2)], partition=1, topic_id="raw-9")
    with without(store, missing):
        rows = BlockWriter(store).sort(Position(topic_id, 1, 0), BlockHeader.from_kafka(begun.headers), begun.value).events
        store.insert("events", rows, f"forgotten/{topic_id}")
    for number in range(3):
        made = block([raw(number)], topic_id="raw-8")
        BlockWriter(store).write(Position(topic_id, 0, number), *made)
        send(kafka, [made])
    send(kafka, [begun, block([raw(3)], partition=1, topic_id="raw-9")], partition=1)

    third = eyes.again()
    loading, other = Loading(kafka, store), Loading(kafka, third)
    until(eyes, "SELECT count() FROM blocks WHERE risk_partition = 1", 2, 60)
    send(kafka, [block([raw(4)], topic_id="raw-8")])
    until(eyes, LEDGER, 6, 60)
    loading.end()
    other.end()
    third.close()

    assert (loading.failed, other.failed) == (None, None)
    assert (rows_in(store)["events"], rows_in(store)["rejected"]) == (7, 1)
    assert not any(one(store, sql) for sql in recounts("Asia/Shanghai").values())
    assert one(store, "SELECT uniqExact(source_topic_id, source_offset) FROM events") == 7
    assert one(store, "SELECT count() FROM holds WHERE lasts_ms = 0") >= 1
