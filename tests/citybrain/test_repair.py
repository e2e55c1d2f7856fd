"""Tables damaged on purpose: the audit is red, the repair mends them, and the audit is clean with every bucket right."""

# ruff: noqa: F401, F811  the audit's fixtures are imported by name

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from citybrain.repair import Repaired, repair
from ingest.city import City
from schemas.block import encode_block
from schemas.events import Kind
from schemas.topic_ids import topic_ids
from schemas.topics import RISK
from sinks.ledger import Position
from sinks.repeats import RecentEvents, Verdict
from sinks.store import Store
from sinks.writer import BlockWriter
from streams.cook import Kitchen
from streams.locate import Locator
from streams.rules import shipped_rules
from tests.citybrain.test_audit import (
    REPEATED,
    WRONG,
    Log,
    _no_pauses,
    at,
    audit,
    change,
    copy_row,
    empty,
    engine,
    fill,
    full,
    log,
    one_event,
    send_blocks,
)

FACTS = (
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM events ORDER BY source_topic_id, source_partition, source_offset",
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM rejected ORDER BY source_topic_id, source_partition, source_offset",
    "SELECT * EXCEPT (stored_at, risk_topic_id) FROM blocks ORDER BY risk_partition, risk_offset",
    "SELECT * FROM v_cases ORDER BY case_id",
    "SELECT * FROM counts_minute FINAL ORDER BY ALL",
    "SELECT * FROM counts_day FINAL ORDER BY ALL",
    "SELECT * FROM sensor_rollup FINAL ORDER BY ALL",
)


def facts(store: Store) -> list[list[tuple[Any, ...]]]:
    return [store.query(sql) for sql in FACTS]


@pytest.fixture(scope="module")
def kitchen(city: City) -> Callable[[Kind], Kitchen]:
    locator, rules = Locator(city.places), shipped_rules()
    return lambda kind: Kitchen(kind, locator, rules)


def mend(log: Log, store: Store, kitchen: Callable[[Kind], Kitchen]) -> Repaired:
    """Red before, clean after."""
    assert not audit(log, store).clean
    done = repair(log.broker, store, kitchen)
    report = audit(log, store)
    assert report.clean, report
    return done


def delete_rows(store: Store) -> None:
    change(store, "ALTER TABLE events DELETE WHERE source_offset % 7 = 3 AND source_topic != 'citybrain.grid'")
    change(store, "ALTER TABLE rejected DELETE WHERE source_topic = 'citybrain.police'")


def double_rows(store: Store) -> None:
    """One copy to the letter, one with another time of storing, a whole insert again, a reject again."""
    copy_row(store, one_event(store, "source_topic = 'citybrain.police'"), stored_at="stored_at")
    copy_row(store, one_event(store, "source_topic = 'citybrain.grid'"))
    again = "INSERT INTO {0} SELECT * FROM {0} WHERE {1} SETTINGS insert_deduplicate = 0"
    store.command(again.format("events", "source_topic = 'citybrain.sensor' AND source_offset < 50"))
    store.command(again.format("rejected", "source_topic = 'citybrain.grid'"))


def alter_counts(store: Store) -> None:
    for table, changed, where in WRONG:
        store.command(f"INSERT INTO {table} SELECT * REPLACE ({changed}) FROM {table} WHERE {where} LIMIT 1")


def delete_buckets(store: Store) -> None:
    for table in ("counts_day", "counts_minute"):
        change(store, f"ALTER TABLE {table} DELETE WHERE kind = 'sensor'")
    change(store, "ALTER TABLE cases DELETE WHERE case_id = (SELECT min(case_id) FROM cases)")
    change(store, "ALTER TABLE sensor_rollup DELETE WHERE 1")


def wrong_ledger(store: Store) -> None:
    change(store, "ALTER TABLE blocks UPDATE stored = stored + 3, repeated = repeated + 1 WHERE risk_offset % 2 = 0")


def strangers(store: Store) -> None:
    """A row of no record, a row of another event, and a record both accepted and rejected."""
    copy_row(store, one_event(store, "source_topic = 'citybrain.grid'"), source_offset="1", id="'invented'")
    place = one_event(store, "source_topic = 'citybrain.police'")
    copy_row(store, place, id="'invented'")
    change(store, f"ALTER TABLE events DELETE WHERE {at(place)} AND id != 'invented'")
    both = one_event(store, "source_topic = 'citybrain.sensor'")
    store.command(
        "INSERT INTO rejected (reason, source_topic, source_topic_id, source_partition, source_offset) "
        f"VALUES ('not_json', '{both['topic']}', '{both['topic_id']}', {both['partition']}, {both['offset']})"
    )


DAMAGES = {
    "rows deleted": [delete_rows],
    "rows doubled": [double_rows],
    "counts altered": [alter_counts],
    "buckets deleted": [delete_buckets],
    "strangers": [strangers],
    "all of it": [strangers, double_rows, alter_counts, delete_rows, delete_buckets],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_tables_become_what_they_were(
    log: Log,
    full: Store,
    kitchen: Callable[[Kind], Kitchen],
    damage: list[Callable[[Store], None]],
) -> None:
    whole = facts(full)
    for one in damage:
        one(full)

    mend(log, full, kitchen)

    assert facts(full) == whole
    again = repair(log.broker, full, kitchen)
    assert not again.rows_changed
    assert not any(again.rebuilt.values())
    assert facts(full) == whole, "a second time changes nothing"


def test_far_repeats_lose_their_later_copy(
    log: Log,
    empty: Store,
    kitchen: Callable[[Kind], Kitchen],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A loader that did not see them, as beyond the horizon: the aggregates and the ledger follow."""
    with monkeypatch.context() as forgetful:
        forgetful.setattr(
            RecentEvents,
            "judge",
            lambda _self, rows, _: Verdict(np.zeros(len(rows), bool), np.zeros(len(rows), bool)),
        )
        fill(empty, log.blocks)

    done = mend(log, empty, kitchen)

    assert done.repeats_removed == REPEATED
    assert audit(log, empty).repeated == REPEATED
    assert empty.query("SELECT sum(repeated) FROM blocks") == [(REPEATED,)]
    assert empty.query("SELECT count() FROM (SELECT source, id FROM events GROUP BY ALL HAVING count() > 1)") == [(0,)]


def test_a_ledger_that_is_wrong_or_has_lost_rows_follows_the_tables(
    log: Log,
    full: Store,
    kitchen: Callable[[Kind], Kitchen],
) -> None:
    whole = full.query("SELECT risk_offset, first_offset, last_offset, stored, rejected FROM blocks ORDER BY 1")
    wrong_ledger(full)
    change(full, "ALTER TABLE blocks DELETE WHERE risk_offset IN (1, 3)")

    done = mend(log, full, kitchen)

    assert done.ledger_restored == 2
    assert [row[::3] for row in whole] == [
        row[::3] for row in full.query("SELECT risk_offset, first_offset, last_offset, stored, rejected FROM blocks ORDER BY 1")
    ]


def test_a_block_stored_but_not_in_the_ledger_then_repair_then_the_retry_doubles_nothing(
    log: Log,
    empty: Store,
    kitchen: Callable[[Kind], Kitchen],
) -> None:
    """The repair finishes the record under its hold; what the loader sends again afterwards is known."""
    send_blocks(log)
    life = topic_ids(log.broker, [RISK.name])[RISK.name]
    counts: dict[int, int] = {}
    placed = []
    for made in log.blocks:
        number = made.header.source_partition
        placed.append((Position(life, number, counts.get(number, 0)), made))
        counts[number] = counts.get(number, 0) + 1
    *before, last = placed
    for position, made in before:
        BlockWriter(empty).write(position, list(made.header.to_kafka()), encode_block(made.table))
    whole_rows = empty.query("SELECT count() FROM events")
    position, made = last
    rows = BlockWriter(empty).sort(position, made.header, encode_block(made.table))
    for view in ("counts_minute", "cases"):
        empty.command(f"DETACH TABLE {view}_mv")
    empty.insert("events", rows.events, position.token("events"))
    for view in ("counts_minute", "cases"):
        empty.command(f"ATTACH TABLE {view}_mv")

    repair(log.broker, empty, kitchen)
    stored = facts(empty)
    BlockWriter(empty).write(position, list(made.header.to_kafka()), encode_block(made.table))
    empty.insert("events", rows.events, position.token("events"))

    assert empty.query("SELECT count() FROM events") == [(whole_rows[0][0] + rows.events.num_rows,)]
    assert facts(empty) == stored
    assert audit(log, empty).clean
