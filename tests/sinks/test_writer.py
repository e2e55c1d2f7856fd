"""One record stored once, whatever happens between the steps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest

from schemas.errors import StoreUnavailable
from sinks import writer as writer_module
from sinks.ledger import Ledger
from sinks.store import Store
from sinks.writer import BlockWriter, HalfStoredLongAgo
from streams.records import RawRecord
from tests.sinks.blocks import at, bad, block, one, raw, rows_in


@pytest.fixture(scope="module", params=["embedded", "http"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """All of this holds for the engine in our process and for one behind HTTP."""
    return str(request.param)


class Dying:
    """A store that dies once, before or after its insert into one table."""

    def __init__(self, store: Store, table: str, *, after: bool) -> None:
        self._store, self._table, self._after = store, table, after

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        if table == self._table:
            if self._after:
                self._store.insert(table, rows, token)
            raise StoreUnavailable(table, rows.num_rows, "killed here")
        self._store.insert(table, rows, token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.parametrize("table", ["events", "rejected", "blocks"])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_any_two_steps_changes_nothing(store: Store, table: str, after: bool) -> None:
    """A new writer, as after a restart, stores the same record again."""
    before, half = block([raw(0), bad(1)]), block([raw(2), bad(3), raw(4, "e0"), raw(5)])
    BlockWriter(store).write(at(0), *before)
    with pytest.raises(StoreUnavailable):
        BlockWriter(Dying(store, table, after=after)).write(at(1), *half)  # type: ignore[arg-type]

    BlockWriter(store).write(at(1), *half)

    assert rows_in(store) == {
        "events": 3, "rejected": 2, "blocks": 2, "counts_minute": 3, "counts_day": 3, "cases": 3, "sensor_rollup": 0,
    }  # fmt: skip
    assert store.query("SELECT stored, rejected, repeated, conflict, redelivered FROM blocks WHERE risk_offset = 1") == [
        (2, 1, 0, 1, 0)
    ]


def test_the_same_record_again_in_one_process_changes_nothing(store: Store) -> None:
    """Not even its row in the ledger."""
    writer, made = BlockWriter(store), block([raw(0), bad(1), raw(2, "e0")])
    writer.write(at(0), *made)
    before = (rows_in(store), store.query("SELECT * FROM blocks"))
    writer.write(at(0), *made)

    assert (rows_in(store), store.query("SELECT * FROM blocks")) == before


def test_rows_cut_into_other_blocks_are_stored_once(store: Store) -> None:
    """After a crash of the worker the same source records arrive in other blocks."""
    writer = BlockWriter(store)
    writer.write(at(0), *block(raw(n) for n in range(6)))
    tally = writer.write(at(1), *block(raw(n) for n in range(3, 9)))

    assert (tally.stored, tally.redelivered) == (3, 3)
    assert one(store, "SELECT uniqExact(source_offset) FROM events") == rows_in(store)["events"] == 9


def test_a_block_that_comes_late_is_not_lost(store: Store) -> None:
    writer = BlockWriter(store)
    writer.write(at(0), *block([raw(0)]))
    writer.write(at(1), *block(raw(n) for n in range(5, 8)))
    tally = BlockWriter(store).write(at(2), *block(raw(n) for n in range(1, 6)))

    assert (tally.stored, tally.redelivered) == (4, 1)
    assert rows_in(store)["events"] == 8


def test_a_repeat_is_dropped_after_a_restart_too(store: Store) -> None:
    BlockWriter(store).write(at(0), *block([raw(0, "x", case_id="c"), raw(1, "y")]))
    tally = BlockWriter(store).write(at(1), *block([raw(2, "x", case_id="c"), raw(3, "y", severity=2), raw(4, "z")]))

    assert (tally.stored, tally.repeated, tally.conflict) == (1, 1, 1)
    assert rows_in(store)["counts_day"] == 3


def test_the_same_id_from_another_source_is_another_event(store: Store) -> None:
    tally = BlockWriter(store).write(at(0), *block([raw(0, "1", source="/a"), raw(1, "1", source="/b")]))

    assert tally.stored == 2


def test_a_recreated_topic_starts_a_new_life(store: Store) -> None:
    """The same offsets under another topic id are other records."""
    writer = BlockWriter(store)
    writer.write(at(0), *block([raw(0, "old"), raw(1)]))
    tally = writer.write(at(1), *block([raw(0, "new"), raw(1, "new2")], topic_id="raw-2"))

    assert (tally.stored, tally.redelivered) == (2, 0)


def test_a_repeat_beyond_the_horizon_is_left_to_the_audit_alike_in_a_retry(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sinks.repeats", "sinks.ledger"):
        monkeypatch.setattr(f"{module}.HORIZON", 100)
    BlockWriter(store).write(at(0), *block([raw(0, "far"), raw(60, "near", case_id="c")]))
    made = block([raw(150, "far"), raw(151, "near", case_id="c")])
    with pytest.raises(StoreUnavailable):
        BlockWriter(Dying(store, "blocks", after=False)).write(at(1), *made)  # type: ignore[arg-type]

    tally = BlockWriter(store).write(at(1), *made)
    assert (tally.stored, tally.repeated) == (1, 1)
    assert rows_in(store)["events"] == 3


def test_a_record_whose_answer_was_lost_is_left_alone_and_still_screens_repeats(store: Store) -> None:
    """The same process tries again; the events of that record must not be forgotten by it."""
    writer, made = BlockWriter(store), block([raw(0, "x", case_id="c")])
    first = writer.write(at(0), *made)
    writer._sources.clear()

    assert writer.write(at(0), *made) == first
    assert writer.write(at(1), *block([raw(1, "x", case_id="c")])).repeated == 1


@pytest.mark.parametrize("record", [raw(0), bad(0)], ids=["events", "rejects alone"])
def test_a_record_half_stored_long_ago_is_not_inserted_blindly(
    store: Store, monkeypatch: pytest.MonkeyPatch, record: RawRecord
) -> None:
    monkeypatch.setattr(writer_module, "MOST_BLOCKS_SINCE", 3)
    with pytest.raises(StoreUnavailable):
        BlockWriter(Dying(store, "blocks", after=False)).write(at(0, 1), *block([record], partition=1))  # type: ignore[arg-type]
    for n in range(3):
        BlockWriter(store).write(at(n), *block([raw(n)]))
    BlockWriter(store).check_half_stored(at(0, 1))
    BlockWriter(store).write(at(3), *block([raw(3)]))

    with pytest.raises(HalfStoredLongAgo, match="record 0 of risk partition 1 is half stored, and 4 blocks were stored since"):
        BlockWriter(store).check_half_stored(at(0, 1))
    BlockWriter(store).check_half_stored(at(4))


@pytest.mark.parametrize("seed", range(10))
def test_random_cuts_redeliveries_and_crashes_store_every_offset_once(store: Store, seed: int) -> None:
    """A model of bad days: two source partitions, blocks cut anew or late, dying inserts, repeated events."""
    chance = random.Random(seed)
    logs = {number: _log(chance, number) for number in (0, 1)}
    writers = {number: BlockWriter(store) for number in logs}
    risk = dict.fromkeys(logs, 0)
    for number, part in _deliveries(chance, logs):
        made, position = block(part, partition=number), at(risk[number], number)
        while chance.random() < 0.3:
            table, after = chance.choice(["events", "rejected", "blocks"]), chance.random() < 0.5
            with suppress(StoreUnavailable):
                BlockWriter(Dying(store, table, after=after)).write(position, *made)  # type: ignore[arg-type]
            writers[number] = BlockWriter(store)
        writers[number].write(position, *made)
        risk[number] += 1

    found = store.query(
        "SELECT source_partition, source_offset FROM events UNION ALL SELECT source_partition, source_offset FROM rejected"
    )
    assert len(found) == len(set(found))
    events = {(number, _id(record)) for number, log in logs.items() for record in log if record.value != bad(0).value}
    rejects = {(number, record.offset) for number, log in logs.items() for record in log if record.value == bad(0).value}
    assert set(store.query("SELECT source_partition, id FROM events")) == events
    assert set(store.query("SELECT source_partition, source_offset FROM rejected")) == rejects
    assert rows_in(store) == {
        "events": len(events), "rejected": len(rejects), "blocks": sum(risk.values()), "counts_minute": len(events),
        "counts_day": len(events), "cases": len(events), "sensor_rollup": 0,
    }  # fmt: skip
    assert store.query("SELECT sum(stored), sum(rejected) FROM blocks") == [(len(events), len(rejects))]
    repeats = sum(map(len, logs.values())) - len(events) - len(rejects)
    assert one(store, "SELECT sum(repeated + conflict) FROM blocks") == repeats
    assert all(Ledger(store).covered("raw-1", number).ranges() == [(0, len(log) - 1)] for number, log in logs.items())


def _deliveries(chance: random.Random, logs: dict[int, list[RawRecord]]) -> Iterator[tuple[int, list[RawRecord]]]:
    """Both logs in parts; some parts begin with records sent before, some come after the one that follows."""
    read, late = dict.fromkeys(logs, 0), list[tuple[int, list[RawRecord]]]()
    while unread := [number for number, log in logs.items() if read[number] < len(log)]:
        number = chance.choice(unread)
        start = max(0, read[number] - chance.choice([0, 0, 0, 5]))
        part = logs[number][start : start + chance.randint(6, 16)]
        read[number] = max(read[number], start + len(part))
        if chance.random() < 0.2:
            late.append((number, part))
        else:
            yield number, part
            yield from late
            late.clear()
    yield from late


def _log(chance: random.Random, number: int) -> list[RawRecord]:
    """Forty records: good ones, bad ones, and repeats of earlier events."""
    log: list[RawRecord] = []
    for offset in range(40):
        kind = chance.random()
        if kind < 0.1:
            log.append(bad(offset))
        else:
            log.append(raw(offset, f"{number}-{chance.randrange(offset) if kind > 0.8 and offset else offset}", case_id="c"))
    return log


def _id(record: RawRecord) -> str:
    return (record.value or b"").split(b'"id":"')[1].split(b'"')[0].decode()
