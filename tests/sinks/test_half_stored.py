"""A record that was begun long ago is completed exactly, whichever of its parts are stored and whatever the store remembers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from citybrain.audit.aggregates import recounts
from ingest.outgoing import Outgoing, encode
from schemas.block import BlockHeader
from schemas.errors import StoreUnavailable, StoreUnsafe
from schemas.events import Kind
from sinks.half_stored import complete
from sinks.ledger import Ledger, Position
from sinks.rebuild import rebuild, targets
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.records import RawRecord
from tests.sinks.blocks import ARRIVED_MS, NOON, Block, bad, block, empty, one, raw, rows_in

Facts = list[list[tuple[Any, ...]]]
VIEWS = ("counts_minute", "counts_day", "cases", "sensor_rollup")
LIVES = count()
"""Each test has a life of citybrain.risk to itself: after an exchange, emptying a table does not make it forget tokens."""
FACTS = (
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM events ORDER BY source_topic_id, source_offset",
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM rejected ORDER BY source_topic_id, source_offset",
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM blocks ORDER BY risk_partition, risk_offset",
    "SELECT * FROM counts_minute FINAL ORDER BY ALL",
    "SELECT * FROM counts_day FINAL ORDER BY ALL",
    "SELECT * FROM v_cases ORDER BY case_id",
    "SELECT * FROM sensor_rollup FINAL ORDER BY ALL",
)


def reading(offset: int, months: int = 0) -> RawRecord:
    """Of the same hour and device as its neighbours: a bucket has rows of several records."""
    content = {"device": "d", "readings": [{"metric": "pm2_5", "value": 20.0 - offset, "unit": "ug/m3"}]}
    return RawRecord(
        offset,
        ARRIVED_MS,
        encode(Outgoing("sensor", "/t", f"e{offset}", NOON - timedelta(days=31 * months), content)).value,
        (),
    )


def call(offset: int, months: int = 0, **data: Any) -> RawRecord:
    event = Outgoing(
        "police", "/t", f"e{offset}", NOON - timedelta(days=31 * months, minutes=offset),
        {"text": "入室盗窃", "case_id": f"c{offset % 3}", "stage": "reported"} | data,
    )  # fmt: skip
    return RawRecord(offset, ARRIVED_MS, encode(event).value, ())


RECORDS: dict[Kind, list[RawRecord]] = {
    "police": [
        call(0),
        call(1),
        bad(2),
        call(3),
        call(4, 1),
        bad(5),
        raw(6, "e0", case_id="c0"),
        call(7, mediation_level="town"),
    ],
    "sensor": [reading(0), reading(1), bad(2), reading(3), reading(4, 1), bad(5), reading(6), reading(7, 12)],
}


def blocks_of(kind: Kind) -> tuple[Block, Block, Block]:
    """The record stored before, the one that is begun, and one of another partition in the same buckets."""
    records = RECORDS[kind]
    return block(records[:3], kind), block(records[3:], kind), block(records[:2], kind, 1, "raw-other")


@contextmanager
def without(store: Store, views: tuple[str, ...]) -> Iterator[None]:
    """As if the process died before these views were filled."""
    for view in views:
        store.command(f"DETACH TABLE {view}_mv")
    try:
        yield
    finally:
        for view in views:
            store.command(f"ATTACH TABLE {view}_mv")


def facts(store: Store) -> Facts:
    return [store.query(sql) for sql in FACTS]


def differing(store: Store) -> dict[str, int]:
    """By the audit's own formulas."""
    return {table: one(store, sql) for table, sql in recounts("Asia/Shanghai").items()}


class Places(NamedTuple):
    """Where the three records stand."""

    before: Position
    half: Position
    other: Position


def new_life() -> Places:
    life = f"risk-{next(LIVES)}"
    return Places(Position(life, 0, 0), Position(life, 0, 1), Position(life, 1, 0))


@pytest.fixture
def at() -> Places:
    return new_life()


_WHOLE: dict[Kind, Facts] = {}


@pytest.fixture
def whole(store: Store, kind: Kind) -> Facts:
    """What the store holds when nothing goes wrong; it is empty again afterwards."""
    if kind not in _WHOLE:
        for position, made in zip(new_life(), blocks_of(kind), strict=True):
            BlockWriter(store).write(position, *made)
        _WHOLE[kind] = facts(store)
        assert not any(differing(store).values())
        empty(store)
    return _WHOLE[kind]


def store_part(store: Store, at: Places, made: Block, table: str, keep: str = "all") -> None:
    """Rows of a record under tokens nobody will ask for: as forgotten ones."""
    rows = BlockWriter(store).sort(at.half, BlockHeader.from_kafka(made.headers), made.value)
    part: pa.Table = getattr(rows, table)
    assert part.num_rows
    if keep == "newest month":
        newest = pc.max(part["at"]).as_py()
        part = part.filter(pc.greater(part["at"], newest - timedelta(days=5)))
    store.insert(table, part, f"forgotten/{uuid.uuid4()}")


STATES: dict[str, tuple[str, tuple[str, ...], str, bool]] = {
    "after events, no view": ("events", VIEWS, "all", False),
    "after the first view": ("events", VIEWS[1:], "all", False),
    "after the second view": ("events", VIEWS[2:], "all", False),
    "after the third view": ("events", VIEWS[3:], "all", False),
    "after the fourth view": ("events", (), "all", False),
    "views filled in another order": ("events", ("counts_minute", "sensor_rollup"), "all", False),
    "one month of events": ("events", VIEWS[1:], "newest month", False),
    "after rejected": ("events", (), "all", True),
    "after rejected, views missing": ("events", ("counts_day", "cases"), "all", True),
}
SENSOR = ("after the third view", "one month of events")
KINDS: dict[str, tuple[Kind, ...]] = {state: ("police", "sensor") if state in SENSOR else ("police",) for state in STATES}


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for state in STATES for kind in KINDS[state]])
def test_every_state_a_crash_leaves_becomes_whole(store: Store, at: Places, kind: Kind, whole: Facts, state: str) -> None:
    """Every table is as if nothing had happened, and every bucket equals a recount."""
    table, missing, keep, rejected = STATES[state]
    before, half, other = blocks_of(kind)
    BlockWriter(store).write(at.before, *before)
    with without(store, missing):
        store_part(store, at, half, table, keep)
    if rejected:
        store_part(store, at, half, "rejected")
    BlockWriter(store).write(at.other, *other)
    assert facts(store) != whole

    complete(store, at.half, *half, lambda: None)

    assert facts(store) == whole
    assert not any(differing(store).values())
    complete(store, at.half, *half, lambda: None)
    assert facts(store) == whole, "a second time changes nothing"


@pytest.mark.parametrize("kind", ["police"])
def test_with_tokens_really_forgotten_a_blind_insert_doubles_and_this_does_not(store: Store, at: Places, kind: Kind) -> None:
    before, half, _ = blocks_of(kind)
    BlockWriter(store).write(at.before, *before)
    tables = ["events", *VIEWS]
    for table in tables:
        store.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 1")
    with pytest.raises(StoreUnavailable):
        BlockWriter(_DyingAt(store, "rejected")).write(at.half, *half)
    for number in range(4):
        BlockWriter(store).write(
            Position(at.half.topic_id, 2, number),
            *block([call(number, months) for months in (0, 1)], partition=2, topic_id=f"x{number}"),
        )
    counted = rows_in(store)["events"]

    complete(store, at.half, *half, lambda: None)
    assert rows_in(store)["events"] == counted
    assert not any(differing(store).values())
    assert Ledger(store).tally(at.half) is not None

    store.command("ALTER TABLE blocks DELETE WHERE risk_offset = 1 SETTINGS mutations_sync = 2")
    BlockWriter(store).write(at.half, *half)
    for table in tables:
        store.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 10000")
    assert rows_in(store)["events"] > counted, "this is what may not be done"


class _DyingAt(Store):
    """Dies before its insert into one table."""

    def __init__(self, store: Store, table: str) -> None:
        super().__init__(store._client)
        self._table = table

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        if table == self._table:
            raise StoreUnavailable(table, rows.num_rows, "killed here")
        super().insert(table, rows, token)


@pytest.mark.parametrize("kind", ["police"])
@pytest.mark.parametrize("dies_at", ["events", "rejected", "blocks", *VIEWS])
def test_completing_may_die_and_begin_again(
    store: Store, at: Places, kind: Kind, whole: Facts, dies_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, half, other = blocks_of(kind)
    BlockWriter(store).write(at.before, *before)
    BlockWriter(store).write(at.other, *other)
    with without(store, VIEWS[1:]):
        store_part(store, at, half, "events", "newest month")
    if dies_at in VIEWS:

        def dying(found: Store, target: Any, *rest: Any) -> list[str]:
            if target.table == dies_at:
                raise StoreUnavailable(dies_at, 0, "killed here")
            return rebuild(found, target, *rest)

        with monkeypatch.context() as patched:
            patched.setattr("sinks.half_stored.rebuild", dying)
            with pytest.raises(StoreUnavailable):
                complete(store, at.half, *half, lambda: None)
    else:
        with pytest.raises(StoreUnavailable):
            complete(_DyingAt(store, dies_at), at.half, *half, lambda: None)

    complete(store, at.half, *half, lambda: None)

    assert facts(store) == whole


@pytest.mark.parametrize("kind", ["police"])
def test_a_late_insert_of_the_old_owner_changes_nothing(store: Store, at: Places, kind: Kind, whole: Facts) -> None:
    """It slept between events and rejected while the record was completed, and goes on under the record's tokens."""
    before, half, other = blocks_of(kind)
    BlockWriter(store).write(at.before, *before)
    BlockWriter(store).write(at.other, *other)
    header = BlockHeader.from_kafka(half.headers)
    rows = BlockWriter(store).sort(at.half, header, half.value)
    store_part(store, at, half, "events")

    complete(store, at.half, *half, lambda: None)
    store.insert("rejected", rows.rejected, at.half.token("rejected"))
    Ledger(store).write(at.half, header, rows.tally)

    assert facts(store) == whole


def test_rows_that_no_crash_leaves_are_refused(store: Store, at: Places) -> None:
    half = block([raw(0), raw(1)])
    with pytest.raises(StoreUnavailable):
        BlockWriter(_DyingAt(store, "blocks")).write(at.half, *half)
    store.command("INSERT INTO events SELECT * REPLACE ('x' AS id) FROM events LIMIT 1 SETTINGS insert_deduplicate = 0")

    with pytest.raises(StoreUnsafe, match=r"3 rows at 2 offsets.*citybrain audit --repair"):
        complete(store, at.half, *half, lambda: None)


@pytest.mark.parametrize("kind", ["police", "sensor"])
def test_targets_are_rebuilt_whole_whatever_is_wrong_in_them(store: Store, at: Places, kind: Kind, whole: Facts) -> None:
    """Counts too high, minima too low, buckets that are gone, buckets of nothing, a partition nobody has events of."""
    before, half, other = blocks_of(kind)
    for position, made in ((at.before, before), (at.other, other), (at.half, half)):
        BlockWriter(store).write(position, *made)
    store.command("INSERT INTO counts_minute SELECT * FROM counts_minute")
    store.command("INSERT INTO counts_minute SELECT * REPLACE (minute - INTERVAL 300 DAY AS minute) FROM counts_minute")
    store.command("ALTER TABLE counts_day DELETE WHERE 1 SETTINGS mutations_sync = 2")
    store.command(
        "INSERT INTO cases SELECT * REPLACE (reported_at - INTERVAL 1 DAY AS reported_at, 3 AS mediation_rank) FROM cases"
    )
    store.command("INSERT INTO sensor_rollup SELECT * REPLACE (low - 1 AS low, high + 1 AS high) FROM sensor_rollup")
    assert differing(store)["counts_minute"]

    for target in targets(store):
        rebuild(store, target)

    assert facts(store) == whole
    assert not any(differing(store).values())


def test_tokens_of_a_target_outlive_its_rebuild(store: Store, at: Places) -> None:
    """A repeat after the exchange is a repeat still: also where the recount of a partition is empty."""
    half = block([raw(0), raw(1)])
    with pytest.raises(StoreUnavailable):
        BlockWriter(_DyingAt(store, "blocks")).write(at.half, *half)
    store.command("ALTER TABLE events DELETE WHERE 1 SETTINGS mutations_sync = 2")
    for target in targets(store):
        rebuild(store, target)
    assert rows_in(store)["counts_minute"] == 0

    BlockWriter(store).write(at.half, *half)

    assert rows_in(store)["counts_minute"] == rows_in(store)["events"] == 0, "the store remembers the record's tokens"


def test_a_lost_hold_stops_before_the_exchange(store: Store, at: Places) -> None:
    BlockWriter(store).write(at.before, *block([raw(0)]))
    store.command("INSERT INTO counts_day SELECT * FROM counts_day")
    before = rows_in(store)

    def lost() -> None:
        raise StoreUnavailable("holds", 0, "lost")

    for target in targets(store):
        with suppress(StoreUnavailable):
            rebuild(store, target, check=lost)

    assert rows_in(store) == before
