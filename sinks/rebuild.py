"""View targets counted again from `events`, partition by partition: built beside, compared, exchanged.

The definition is the materialized view itself, as the store has it: only its source is narrowed. REPLACE PARTITION is one
step and keeps the tokens of earlier inserts, where TRUNCATE or DROP lose them and a later repeat would count twice
(docs/decisions/0035). Only under a hold: rows that loaders insert meanwhile would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from schemas.errors import StoreUnavailable, StoreUnsafe
from sinks.store import Store

VIEWS = (
    "SELECT as_select, create_table_query FROM system.tables WHERE database = currentDatabase() "
    "AND engine = 'MaterializedView' ORDER BY name"
)
TABLE = "SELECT sorting_key, partition_key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
COLUMNS = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind != 'MATERIALIZED' ORDER BY position"
SOURCE = re.compile(r"\bFROM (?:`?\w+`?\.)?`?events`?(?!\w)")
INTO = re.compile(r"^CREATE MATERIALIZED VIEW \S+ TO (?:`?\w+`?\.)?`?(\w+)`? ")
SUMMED = re.compile(r"^SimpleAggregateFunction\((\w+),")
COUNTING = (
    "SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 1000, max_bytes_before_external_group_by = 1000000000"
)


class Target(NamedTuple):
    """A view target. `select` is its view, `key` the columns of a bucket, `partition` an expression, `columns` name to type."""

    table: str
    select: str
    key: str
    partition: str
    columns: dict[str, str]

    def recount(self, rows: str = "1") -> str:
        """The view's SELECT over those of `events` for which `rows` (SQL) holds."""
        return SOURCE.sub(f"FROM (SELECT * FROM events WHERE {rows}) AS events", self.select)

    @property
    def listed(self) -> str:
        """Its columns, for INSERT and SELECT."""
        return ", ".join(f"`{name}`" for name in self.columns)


def targets(store: Store) -> list[Target]:
    """Every table that a materialized view over `events` fills."""
    found = []
    for select, created in store.query(VIEWS):
        into = INTO.match(created)
        if into is None or len(SOURCE.findall(select)) != 1:
            continue
        table = into[1]
        ((key, partition),) = store.query(TABLE, {"table": table})
        found.append(Target(table, select, key, partition or "0", dict(store.query(COLUMNS, {"table": table}))))
    return found


def differing(store: Store, target: Target, *, states: bool = False) -> list[str]:
    """Partitions that are not a recount of `events`. `states`: all of a target with states, which cannot be compared."""
    if states and any(kind.startswith("AggregateFunction") for kind in target.columns.values()):
        return _partitions(store, target)
    found = []
    for partition in _partitions(store, target):
        here = f"WHERE toString({target.partition}) = '{partition}'"
        counted = fingerprint(store, target, f"SELECT {target.listed} FROM ({target.recount()}) {here}")
        if counted != fingerprint(store, target, f"SELECT {target.listed} FROM {target.table} {here}"):
            found.append(partition)
    return found


def _partitions(store: Store, target: Target, rows: str = "1") -> list[str]:
    """Partitions that hold buckets of these rows of `events`; without `rows` all there are or should be."""
    listed = f"SELECT DISTINCT toString({target.partition}) AS p FROM ({target.recount(rows)})"
    if rows == "1":
        listed += f" UNION DISTINCT SELECT DISTINCT toString({target.partition}) AS p FROM {target.table}"
    return sorted(str(name) for (name,) in store.query(listed))


def rebuild(store: Store, target: Target, rows: str = "1", check: Callable[[], None] = lambda: None) -> list[str]:
    """Count the buckets of these rows of `events` (SQL) again; without `rows` every bucket. Names of the partitions exchanged.

    `check` is called before each exchange and raises if the hold is lost. Called again after a crash it does the same work.
    """
    partitions = _partitions(store, target, rows)
    for partition in partitions:
        rebuild_partition(store, target, partition, rows, check)
    return partitions


def rebuild_partition(
    store: Store, target: Target, partition: str, rows: str = "1", check: Callable[[], None] = lambda: None
) -> None:
    """One partition of `rebuild`; buckets of other rows are taken over as they are."""
    if not partition.isdigit():
        message = f"{target.table}: partition {partition} is no whole number; wanted a partition key like toYYYYMM(...)"
        raise StoreUnsafe(message)
    beside = f"{target.table}_beside"
    here = f"toString({target.partition}) = '{partition}'"
    affected = "1" if rows == "1" else f"({target.key}) IN (SELECT {target.key} FROM ({target.recount(rows)}))"
    counted = f"SELECT {target.listed} FROM ({target.recount()}) WHERE {here} AND {affected}"
    kept = f"SELECT {target.listed} FROM {target.table} WHERE {here} AND NOT {affected}"
    store.command(f"DROP TABLE IF EXISTS {beside}")
    store.command(f"CREATE TABLE {beside} AS {target.table}")
    wanted = counted if rows == "1" else f"{counted} UNION ALL {kept}"
    store.command(f"INSERT INTO {beside} ({target.listed}) {wanted} {COUNTING}")
    if fingerprint(store, target, f"SELECT * FROM {beside}") != fingerprint(store, target, wanted):
        raise StoreUnavailable(target.table, 0, f"what was built beside partition {partition} is not its recount; run it again")
    check()
    replace_partition(store, target.table, beside, "all" if target.partition == "0" else partition)
    store.command(f"DROP TABLE {beside}")


def replace_partition(store: Store, table: str, beside: str, partition_id: str) -> None:
    """Put what stands beside in the place of a partition, in one step. Tokens of `table` stay, also if nothing is beside."""
    ((rows,),) = store.query(f"SELECT count() FROM {beside} WHERE _partition_id = '{partition_id}'")
    empty = "" if rows else " SETTINGS allow_replace_partition_from_empty_source = 1"
    store.command(f"ALTER TABLE {table} REPLACE PARTITION ID '{partition_id}' FROM {beside}{empty}")


def fingerprint(store: Store, target: Target, source: str) -> tuple[int, int]:
    """Buckets of a SELECT with the target's columns and a hash of their values, alike however far its rows are merged.

    Aggregate states are left out: of two events at one instant either may be the first.
    """
    merged = [f"{how[1]}(`{name}`)" for name, kind in target.columns.items() if (how := SUMMED.match(kind))]
    values = f"SELECT toString(tuple({target.key}, {', '.join(merged)})) AS bucket FROM ({source}) GROUP BY {target.key}"
    ((buckets, mixed),) = store.query(f"SELECT count(), sum(cityHash64(bucket)) FROM ({values})")
    return int(buckets), int(mixed or 0)
