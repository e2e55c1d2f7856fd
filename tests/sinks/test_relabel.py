"""Labels exchanged in the store: exact, and after a death at any statement either unchanged or finished by the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
import pytest

from schemas.block import BlockHeader
from schemas.errors import StoreUnavailable
from sinks.ledger import Position
from sinks.rebuild import differing, targets
from sinks.relabel import LABELS, STAGED, NotFinished, Run, begin, check_finished, finish, last_run, unfinished
from sinks.store import Store
from sinks.writer import BlockWriter
from tests.sinks.test_half_stored import LIVES, blocks_of

PLACE: Final = "source_topic_id, source_partition, source_offset"
UNTOUCHED: Final = f"SELECT * EXCEPT ({', '.join(LABELS)}), event_key FROM events ORDER BY {PLACE}"
LABELLED: Final = f"SELECT {PLACE}, toYYYYMM(at), {', '.join(LABELS)} FROM events ORDER BY {PLACE}"
CASES: Final = "SELECT case_id, source_topic, incident_class FROM v_cases ORDER BY ALL"
NEW: Final = ("public_safety", "S09", "code", "other", "r9")
RUN: Final = Run("run-1", "r9", 4, 4, 0)


@pytest.fixture
def store(store: Store) -> Store:
    """A few months of police and sensor events, no trail. Tokens outlive an exchange, so each test has a life of its own."""
    writer, life = BlockWriter(store), f"relabel-{next(LIVES)}"
    for offset, made in enumerate([*blocks_of("police"), *blocks_of("sensor")]):
        writer.write(Position(life, 0, offset), made.headers, made.value)
    store.command("TRUNCATE TABLE reclassifications")
    store.command("DROP TABLE IF EXISTS events_relabelled")
    return store


def nothing() -> None:
    """The hold stands."""


def labels_for(store: Store, some: int = 2) -> list[pa.Table]:
    """New labels for every `some`-th event, in two tables."""
    rows = [row[:4] + NEW for row in store.query(LABELLED)][::some]
    columns = [list(column) for column in zip(*rows, strict=True)]
    table = pa.table([pa.array(column, kind) for column, kind in zip(columns, STAGED.types, strict=True)], schema=STAGED)
    return [table[:1], table[1:]]


def everything(store: Store) -> list[list[tuple[Any, ...]]]:
    return [store.query(sql) for sql in (UNTOUCHED, LABELLED, CASES)]


def agrees(store: Store) -> bool:
    """Every aggregate is a recount; the class of a case is that of its earliest event."""
    cases = store.query(
        "SELECT case_id, source_topic, argMin(incident_class, (at, id)) FROM events WHERE case_id != '' GROUP BY 1, 2 ORDER BY ALL"
    )
    return cases == store.query(CASES) and not any(differing(store, target) for target in targets(store))


def relabel(store: Store, labels: list[pa.Table]) -> None:
    begin(store, RUN, labels, nothing)
    finish(store, nothing)


def test_only_labels_change_and_aggregates_follow(store: Store) -> None:
    before = everything(store)
    months = {row[3] for row in before[1]}
    assert len(months) > 1
    assert agrees(store)

    relabel(store, labels_for(store))

    after = everything(store)
    assert after[0] == before[0]
    assert after[1] == [row[:4] + NEW if number % 2 == 0 else row for number, row in enumerate(before[1])]
    assert after[2] != before[2], "the class of a case is in an aggregate state"
    assert agrees(store)
    assert store.query("SELECT step, run, relabelled FROM reclassifications ORDER BY at, step") == [
        ("begun", "run-1", 4),
        ("done", "run-1", 4),
    ]
    assert last_run(store) == "run-1"


def test_a_retry_of_a_block_stored_before_adds_nothing(store: Store) -> None:
    """The exchanged partitions keep the tokens of earlier inserts."""
    relabel(store, labels_for(store))
    after = everything(store)

    ((life,),) = store.query("SELECT DISTINCT risk_topic_id FROM events")
    for offset, made in enumerate(blocks_of("police")):
        unknown = BlockHeader.from_kafka(made.headers)._replace(source_topic_id="so that no row is screened")
        table = BlockWriter(store).sort(Position("other", 0, 0), unknown, made.value).events
        assert table.num_rows
        store.insert("events", table, Position(life, 0, offset).token("events"))

    assert len(after[0]) > 5
    assert everything(store) == after
    assert agrees(store)


def test_who_sees_a_run_that_was_begun_is_told(store: Store) -> None:
    begin(store, RUN, labels_for(store), nothing)
    assert unfinished(store) == [RUN]
    with pytest.raises(NotFinished, match="run-1 by rules r9 was begun"):
        check_finished(store)

    assert finish(store, nothing) == [RUN]
    check_finished(store)
    assert finish(store, nothing) == []


def test_a_stage_that_lost_rows_begins_nothing(store: Store) -> None:
    before = everything(store)
    labels = labels_for(store)

    class Forgets(Store):
        def insert(self, table: str, rows: pa.Table, token: str) -> None:
            if table != "events_relabelled":
                super().insert(table, rows, token)

    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        begin(Forgets(store._client), RUN, labels, nothing)

    assert not unfinished(store)
    assert everything(store) == before


class Killed(BaseException):
    """Not an error that anything handles."""


class Dies(Store):
    """A store whose user is killed right after its n-th statement that changes something."""

    def __init__(self, store: Store, after: int) -> None:
        super().__init__(store._client, store._reopen)
        self._left = after

    def _last(self, act: Callable[[], None]) -> None:
        act()
        self._left -= 1
        if self._left == 0:
            raise Killed

    def command(self, sql: str) -> None:
        self._last(lambda: Store.command(self, sql))

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        self._last(lambda: Store.insert(self, table, rows, token))


def test_killed_after_any_statement_it_has_changed_nothing_or_the_next_finishes_it(store: Store) -> None:
    """Before the row `begun` the store is as it was; after it, whoever holds the store next brings it to the end."""
    states = {"old": everything(store)}
    back = [pa.table(dict(zip(STAGED.names, zip(*store.query(LABELLED), strict=True), strict=True))).cast(STAGED)]
    forth = labels_for(store)
    now, begun = "old", []
    for last in range(1, 100):
        wanted, labels = ("new", forth) if now == "old" else ("old", back)
        try:
            relabel(Dies(store, last), labels)
        except Killed:
            begun.append(bool(unfinished(store)))
        else:
            break
        if not begun[-1] and last < 10:
            assert everything(store) == states[now]
        finish(store, nothing)
        found = everything(store)
        now = wanted if last >= 5 else now  # the row `begun` is the fifth: DROP, CREATE, two inserts, begun
        assert found == states.setdefault(now, found)
        assert agrees(store)
        store.command("TRUNCATE TABLE reclassifications")
    assert states["new"] != states["old"]
    assert begun[:4] == [False] * 4
    assert begun[4:20] == [True] * 16
