"""The two ways through history: only showing what would change, and changing it under a hold."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from citybrain.reclassify.changes import Changes
from citybrain.reclassify.read import KINDS, QueryArrow, Source, parts, sources
from schemas.errors import CitybrainError
from schemas.events import Kind
from schemas.kafka_options import LOADER_GROUP, Broker
from sinks.maintenance import held
from sinks.relabel import LABELS, STAGED, Run, begin, finish, last_run, unfinished
from sinks.store import Store
from streams.cook import Kitchen
from streams.relabel import decide_again

KitchenOf = Callable[[Kind], Kitchen]
Progress = Callable[[str, int, int], None]
"""(what, done, of how many)."""
ANY_KIND: Kind = "grid"
"""Of rows whose source is no raw topic, such as a file: they are decided from what was stored, where the kind plays no part."""


class Meanwhile(CitybrainError):
    """Another reclassification ran between looking and holding. Nothing was changed."""

    retryable = True


class Done(NamedTuple):
    """What was changed; `finished`: earlier runs that had not come to their end, and did now."""

    changes: Changes
    finished: list[Run]


def _silent(*_: object) -> None:
    """Nobody watches."""


def show(broker: Broker, query: QueryArrow, kitchen: KitchenOf, progress: Progress = _silent) -> Changes:
    """What would change. Reads the log and the store, writes nothing."""
    changes = Changes(kitchen(ANY_KIND).rules.version)
    for _ in _decided(broker, query, sources(query), kitchen, changes, progress):
        pass
    return changes


def reclassify(
    broker: Broker, store: Store, kitchen: KitchenOf, progress: Progress = _silent, group: str = LOADER_GROUP
) -> Done:
    """Label all stored events by the rules of `kitchen`. Again, it changes nothing.

    History is decided while loaders work; then they are held, what they stored meanwhile is decided too, and all is changed.
    Meanwhile, NotHeld: nothing was changed, run it again. HoldLost, StoreUnavailable: run it again; what was begun is
    finished by the next that holds the store.
    """
    finished: list[Run] = []
    if open_runs := unfinished(store):
        with held(broker, store, "reclassify", group):  # which finishes them: labels have to be compared with their outcome
            finished = open_runs
    before = last_run(store)
    changes = Changes(kitchen(ANY_KIND).rules.version)
    with tempfile.TemporaryDirectory(prefix="reclassify-") as folder:
        spool = _Spool(Path(folder))
        seen = sources(store.query_arrow)
        for rows in _decided(broker, store.query_arrow, seen, kitchen, changes, progress):
            spool.add(rows)
        with held(broker, store, "reclassify", group) as hold:
            if last_run(store) != before:
                raise Meanwhile("another reclassification ran meanwhile; nothing was changed, run the command again")
            for rows in _decided(
                broker, store.query_arrow, _newer(seen, sources(store.query_arrow)), kitchen, changes, progress
            ):
                hold.check()
                spool.add(rows)
            if changes.relabelled:
                run = Run(str(uuid.uuid4()), changes.rules_version, changes.relabelled, changes.changed, changes.kept)
                progress("changing", 0, changes.relabelled)
                begin(store, run, spool.tables(), hold.check)
                finish(store, hold.check)
                progress("changing", changes.relabelled, changes.relabelled)
    return Done(changes, finished)


def _decided(
    broker: Broker, query: QueryArrow, wanted: list[Source], kitchen: KitchenOf, changes: Changes, progress: Progress
) -> Iterator[pa.Table]:
    """Tables of STAGED: the rows whose labels change."""
    total, done = sum(source.rows for source in wanted), 0
    for source, stored, records in parts(broker, query, wanted):
        decided = decide_again(stored, records, kitchen(KINDS.get(source.topic, ANY_KIND)))
        moved = changes.add(decided, len(stored) if records else 0)
        if len(moved):
            yield _staged(source, moved)
        done += len(stored)
        progress("deciding", done, total)


def _newer(before: Iterable[Source], now: Iterable[Source]) -> list[Source]:
    """What was stored after all of `before` was read; its number of rows is the most there can be."""
    ends = {source.key: source.last + 1 for source in before}
    starts = {source.key: ends.get(source.key, source.first) for source in now}
    return [
        source._replace(first=starts[source.key], rows=source.last - starts[source.key] + 1)
        for source in now
        if source.last >= starts[source.key]
    ]


def _staged(source: Source, moved: pl.DataFrame) -> pa.Table:
    columns = moved.select("source_offset", "month", *(pl.col(f"new_{name}").alias(name) for name in LABELS)).with_columns(
        source_topic_id=pl.lit(source.topic_id), source_partition=pl.lit(source.partition)
    )
    return columns.select(STAGED.names).to_arrow().cast(STAGED)


class _Spool:
    """Labels on their way, in files: history may be larger than memory. They are no one's data: places and classes."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def add(self, table: pa.Table) -> None:
        """Keep one table."""
        with pa.ipc.new_file(self._folder / f"{self._count}.arrow", table.schema) as writer:
            writer.write_table(table)
        self._count += 1

    def tables(self) -> Iterator[pa.Table]:
        """All of them, one in memory at a time."""
        for number in range(self._count):
            with pa.ipc.open_file(self._folder / f"{number}.arrow") as file:
                yield file.read_all()
