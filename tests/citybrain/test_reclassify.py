"""History labelled again: what is shown is what is done, only labels change, and a second time changes nothing."""

# ruff: noqa: F401, F811  the audit's fixtures are imported by name

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from citybrain.reclassify import read as reading
from citybrain.reclassify import reclassify, show
from ingest.city import City
from schemas.events import Kind
from sinks import maintenance
from sinks.rebuild import differing, targets
from sinks.relabel import LABELS
from sinks.store import Store
from streams.cook import Kitchen
from streams.locate import Locator
from streams.rules import Rules, shipped_rules
from streams.scorer import Scorer
from tests.citybrain.test_audit import (
    Log,
    _no_pauses,
    audit,
    change,
    empty,
    engine,
    fill,
    full,
    log,
)

KitchenOf = Callable[[Kind], Kitchen]
PLACE = "source_topic_id, source_partition, source_offset"
UNTOUCHED = f"SELECT * EXCEPT ({', '.join(LABELS)}), event_key FROM events ORDER BY {PLACE}"
LABELLED = f"SELECT {', '.join(LABELS)} FROM events ORDER BY {PLACE}"
AGGREGATES = (
    "SELECT * FROM counts_minute FINAL ORDER BY ALL",
    "SELECT * FROM counts_day FINAL ORDER BY ALL",
    "SELECT * FROM v_cases ORDER BY ALL",
    "SELECT * FROM sensor_rollup FINAL ORDER BY ALL",
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else takes holds here, and parts are small, so that there are several."""
    monkeypatch.setattr(maintenance, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(reading, "AT_ONCE", 150)


@pytest.fixture
def fresh(full: Store) -> Store:
    """The store with the whole log, no trail and no hold from an earlier test."""
    for table in ("reclassifications", "holds", "holds_seen"):
        full.command(f"TRUNCATE TABLE {table}")
    full.command("DROP TABLE IF EXISTS events_relabelled")
    return full


def by(city: City, rules: Rules) -> KitchenOf:
    locator = Locator(city.places)
    return lambda kind: Kitchen(kind, locator, rules)


@pytest.fixture
def old(city: City) -> KitchenOf:
    """The rules that the log was stored by."""
    return by(city, shipped_rules())


@pytest.fixture
def new(city: City) -> KitchenOf:
    """Other rules: a code more, every second limit gone, every second term gone."""
    shipped = shipped_rules()
    codes = pl.concat([shipped.codes, pl.DataFrame({"code": ["110-其他"], "by_code": ["O05"]})])
    model = shipped.scorer.model
    terms = {term: weights for number, (term, weights) in enumerate(sorted(model.terms.items())) if number % 2}
    scorer = Scorer(model.model_copy(update={"terms": terms}))
    return by(city, Rules("r9-other", codes, shipped.limits.gather_every(2), scorer))


def everything(store: Store) -> list[list[tuple[Any, ...]]]:
    return [store.query(sql) for sql in (UNTOUCHED, LABELLED, *AGGREGATES)]


def recounted(store: Store) -> bool:
    """Whether every aggregate is a recount of events, states too: argMin of a case is one event's class."""
    cases = store.query(
        "SELECT count() FROM (SELECT case_id, source_topic, argMin(incident_class, (at, id)) AS c FROM events WHERE case_id != '' "
        "GROUP BY 1, 2) AS e INNER JOIN v_cases AS v USING (case_id, source_topic) WHERE e.c != v.incident_class"
    )
    return cases == [(0,)] and not any(differing(store, target) for target in targets(store))


def trail(store: Store) -> list[tuple[Any, ...]]:
    return store.query("SELECT step, rules_version, relabelled, changed, kept FROM reclassifications ORDER BY at, step")


def test_showing_changes_nothing_and_says_what_the_change_does(log: Log, fresh: Store, old: KitchenOf, new: KitchenOf) -> None:
    before = everything(fresh)
    shown = show(log.broker, fresh.query_arrow, new)
    assert everything(fresh) == before
    assert recounted(fresh), "else the comparison would prove nothing"
    assert not trail(fresh)

    done = reclassify(log.broker, fresh, new)

    assert done.changes.to_dict() == shown.to_dict()
    after = everything(fresh)
    assert after[0] == before[0], "nothing but the labels"
    moved = [(a[1], b[1]) for a, b in zip(before[1], after[1], strict=True) if a[1] != b[1]]
    assert shown.changed == len(moved) > 50
    assert shown.pairs == {pair: moved.count(pair) for pair in set(moved)}
    assert {row[4] for row in after[1]} == {"r9-other"}
    assert shown.relabelled == shown.rows == shown.from_log == len(after[1])
    assert all(example["text"] is None for some in shown.examples.values() for example in some)
    assert recounted(fresh)
    assert audit(log, fresh).clean
    assert trail(fresh) == [(step, "r9-other", shown.relabelled, shown.changed, 0) for step in ("begun", "done")]

    again = reclassify(log.broker, fresh, new)
    assert (again.changes.relabelled, again.finished, len(trail(fresh))) == (0, [], 2)
    assert everything(fresh) == after, "a second time changes nothing"
    reclassify(log.broker, fresh, old)
    assert everything(fresh) == before, "the old rules bring the old labels back"


def test_past_retention_what_was_stored_decides_and_the_rest_is_kept(log: Log, fresh: Store, new: KitchenOf) -> None:
    """Another life of the topic: the log has none of its records. No text was kept."""
    change(fresh, "ALTER TABLE events UPDATE source_topic_id = 'gone' WHERE source_topic = 'citybrain.police'")
    gone = f"SELECT code, classified_by, {', '.join(LABELS)} FROM events WHERE source_topic_id = 'gone' ORDER BY source_offset"
    before = fresh.query(gone)

    done = reclassify(log.broker, fresh, new).changes

    after = fresh.query(gone)
    by_text = [row for row in before if row[1] in {"terms", "none"} and row[0] != "110-其他"]
    assert done.kept == len(by_text) > 0
    assert [row for row in after if row[-1] != "r9-other"] == by_text
    assert done.from_log == done.rows - len(before)
    assert recounted(fresh)
