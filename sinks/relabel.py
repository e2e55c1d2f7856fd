"""Events labelled again: new labels staged beside, `events` exchanged month by month, aggregates counted again, an audit trail.

`begin` stages all labels and writes the row `begun`; before that row nothing has changed, and after it the work is always
finished: by the run itself, or by whoever holds the store next, a starting loader too (docs/decisions/0025). Only under a hold.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import pyarrow as pa

from schemas.errors import CitybrainError, StoreUnavailable
from sinks.rebuild import COUNTING, differing, rebuild_partition, replace_partition, targets
from sinks.store import Store

log = logging.getLogger(__name__)

LABELS: Final = ("category", "incident_class", "classified_by", "evidence", "rules_version")
"""Columns of `events` that the rules decide."""
PLACE: Final = ("source_topic_id", "source_partition", "source_offset")
STAGED: Final = pa.schema(
    [
        pa.field("source_topic_id", pa.string()),
        pa.field("source_partition", pa.uint16()),
        pa.field("source_offset", pa.uint64()),
        pa.field("month", pa.uint32()),  # toYYYYMM(at): the partition of `events`
        *(pa.field(name, pa.string()) for name in LABELS),
    ]
)
STAGE: Final = "events_relabelled"
CREATE: Final = f"""
CREATE TABLE IF NOT EXISTS {STAGE}
(
    source_topic_id LowCardinality(String), source_partition UInt16, source_offset UInt64, month UInt32,
    {", ".join(f"{name} LowCardinality(String)" for name in LABELS)}, staged UInt8 DEFAULT 1
)
ENGINE = MergeTree ORDER BY (month, {", ".join(PLACE)}) COMMENT 'labels on their way into events, while `citybrain reclassify` runs'
"""
COLUMNS: Final = (
    "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'events' "
    "AND default_kind != 'MATERIALIZED' ORDER BY position"
)
OPEN: Final = (
    "SELECT run, any(rules_version), any(relabelled), any(changed), any(kept) FROM reclassifications "
    "GROUP BY run HAVING countIf(step = 'done') = 0 ORDER BY min(at)"
)


class Run(NamedTuple):
    """One run in the audit trail; counts are events."""

    run: str
    rules_version: str
    relabelled: int
    changed: int
    kept: int


class NotFinished(CitybrainError):
    """A reclassification began to change the store and did not end; it has to be finished under a hold first."""

    retryable = True


def unfinished(store: Store) -> list[Run]:
    """Runs that have begun and are not done, oldest first."""
    return [Run(*row) for row in store.query(OPEN)]


def check_finished(store: Store) -> None:
    """NotFinished when there is such a run."""
    if runs := unfinished(store):
        message = f"reclassification {runs[0].run} by rules {runs[0].rules_version} was begun and not finished"
        raise NotFinished(message)


def last_run(store: Store) -> str:
    """Id of the newest run, done or not; empty when there was none."""
    rows = store.query("SELECT run FROM reclassifications ORDER BY at DESC, step LIMIT 1")
    return str(rows[0][0]) if rows else ""


def begin(store: Store, run: Run, labels: Iterable[pa.Table], check: Callable[[], None]) -> None:
    """Stage the labels (tables of STAGED) and write down that the run has begun. Until then `events` is as it was."""
    store.command(f"DROP TABLE IF EXISTS {STAGE}")
    store.command(CREATE)
    staged = 0
    for table in labels:
        check()
        store.insert(STAGE, table, f"{run.run}/{staged}")
        staged += table.num_rows
    ((found,),) = store.query(f"SELECT count() FROM {STAGE}")
    if int(found) != staged:
        raise StoreUnavailable(STAGE, staged, f"it has {found} rows; nothing was changed, run it again")
    check()
    _note(store, run, "begun")


def finish(store: Store, check: Callable[[], None]) -> list[Run]:
    """Carry out what was begun, in a store that is held; nothing to do is the usual case. Runs finished.

    Every step may be done again. `check` is called before each exchange and raises when the hold is lost.
    """
    runs = unfinished(store)
    if not runs:
        return []
    store.command(CREATE)
    for (month,) in store.query(f"SELECT DISTINCT month FROM {STAGE} ORDER BY month"):
        _exchange(store, int(month), check)
    for target in targets(store):
        if "incident_class" in target.select or "category" in target.select:
            for partition in differing(store, target, states=True):
                rebuild_partition(store, target, partition, check=check)
    check()
    for run in runs:
        _note(store, run, "done")
        log.warning("events are labelled by rules %s: %s", run.rules_version, run)
    store.command(f"DROP TABLE {STAGE}")
    return runs


def _note(store: Store, run: Run, step: str) -> None:
    row = {
        "run": [run.run], "step": [step], "rules_version": [run.rules_version],
        **{name: pa.array([getattr(run, name)], pa.uint64()) for name in ("relabelled", "changed", "kept")},
    }  # fmt: skip
    store.insert("reclassifications", pa.table(row), f"{run.run}/{step}/{uuid.uuid4()}")


def _exchange(store: Store, month: int, check: Callable[[], None]) -> None:
    """One partition of `events` with its labels, unless it has them already."""
    here, staged = f"toYYYYMM(at) = {month}", f"(SELECT * FROM {STAGE} WHERE month = {month})"
    place, labels = ", ".join(PLACE), ", ".join(LABELS)
    differ = (
        f"SELECT count() FROM (SELECT {place}, {labels} FROM {{}} WHERE {here}) AS e INNER JOIN {staged} AS s USING ({place}) "
        f"WHERE ({', '.join(f'e.{name}' for name in LABELS)}) != ({', '.join(f's.{name}' for name in LABELS)})"
    )
    if store.query(differ.format("events")) == [(0,)]:
        return
    columns = [str(name) for (name,) in store.query(COLUMNS)]
    taken = [
        f"if(s.staged = 1, s.`{name}`, e.`{name}`) AS `{name}`" if name in LABELS else f"e.`{name}` AS `{name}`"
        for name in columns
    ]
    store.command("DROP TABLE IF EXISTS events_beside")
    store.command("CREATE TABLE events_beside AS events")
    store.command(
        f"INSERT INTO events_beside ({', '.join(f'`{name}`' for name in columns)}) SELECT {', '.join(taken)} "
        f"FROM (SELECT * FROM events WHERE {here}) AS e LEFT ANY JOIN {staged} AS s USING ({place}) "
        f"{COUNTING}, join_algorithm = 'grace_hash', join_use_nulls = 0"
    )
    others = ", ".join(f"`{name}`" for name in columns if name not in LABELS)
    same = f"SELECT count(), sum(cityHash64(toString(tuple({others})))) FROM {{}} WHERE {here}"
    if store.query(same.format("events_beside")) != store.query(same.format("events")) or store.query(
        differ.format("events_beside")
    ) != [(0,)]:
        raise StoreUnavailable("events", 0, f"what was built beside month {month} is not it with new labels; run it again")
    check()
    replace_partition(store, "events", "events_beside", str(month))
    store.command("DROP TABLE events_beside")
