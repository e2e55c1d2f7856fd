"""The other half of a backfill: blocks into the store, each exactly once by the ledger, whenever it is killed and run again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from citybrain.backfill.cooking import Recipe, cooked_beside
from citybrain.backfill.sources import KINDS, Source
from citybrain.backfill.spool import Spool, Spooled
from schemas.block import BlockHeader
from schemas.errors import CitybrainError, StoreUnavailable
from schemas.events import Kind
from sinks.half_stored import complete
from sinks.holds import Hold, Watcher
from sinks.ledger import Ledger, Position, Tally
from sinks.migrate import check_store
from sinks.store import Store
from sinks.writer import BlockWriter, HalfStoredLongAgo

TRIES: Final = 6
FIRST_PAUSE_SECONDS: Final = 0.5
HELD_PAUSE_SECONDS: Final = 0.2
Held = Callable[[], AbstractContextManager[Hold]]
"""Holds all loaders, for a block that was begun so long ago that its tokens may be forgotten."""


class SpoolLost(CitybrainError):
    """Rows of a block are stored, its spool is gone, and cooked again it could be another one."""


@dataclass(slots=True)
class BackfillReport:
    """What one run did: rows by what became of them. `before`: records that earlier runs had stored."""

    source: str
    topic_id: str
    before: int = 0
    stored: int = 0
    rejected: int = 0
    repeated: int = 0
    conflict: int = 0
    redelivered: int = 0
    blocks: int = 0
    seconds: float = 0.0

    def add(self, tally: Tally) -> None:
        """One more block."""
        for name, count in tally._asdict().items():
            setattr(self, name, getattr(self, name) + count)
        self.blocks += 1

    @property
    def records(self) -> int:
        """Records of this run."""
        return self.stored + self.rejected + self.repeated + self.conflict + self.redelivered


class Backfill:
    """Stores the blocks of one source. `folder` keeps its spool; give the same one again after a kill."""

    def __init__(self, source: Source, store: Store, folder: Path, held: Held) -> None:
        self._source, self._store, self._held = source, store, held
        self._writer, self._ledger = BlockWriter(store), Ledger(store)
        self._spool = Spool(folder, source.topic_id)
        self._watcher = Watcher(store, f"backfill-{source.topic_id}")
        self._next: dict[int, int] = {}

    def run(self, recipe: Recipe, progress: Callable[[int], None] = lambda _: None) -> BackfillReport:
        """Store what is not stored yet. `progress` gets the records of this run so far.

        CookingFailed, StoreUnavailable: nothing is lost, run it again. SpoolLost names what to do.
        """
        check_store(self._store)
        started = time.monotonic()
        report = BackfillReport(self._source.name, self._source.topic_id)
        self._finish_spooled()
        after = self._covered(report)
        for header, value in cooked_beside(self._source, recipe, after):
            block = Spooled(self._position(header), header, value)
            self._spool.write(block)
            report.add(self._store_block(block))
            progress(report.records)
        report.seconds = time.monotonic() - started
        return report

    def _position(self, header: BlockHeader) -> Position:
        number = header.source_partition
        if number not in self._next:
            self._next[number] = self._first_free(number)
            position = Position(self._source.topic_id, number, self._next[number])
            if self._ledger.has_rows_of(position):
                message = (
                    f"{self._source.name}: block {position.offset} of partition {number} is half stored and its spool is gone; run the "
                    "command with the --data-dir of before, or take the rows out of events and rejected where "
                    f"risk_topic_id = '{position.topic_id}' and risk_offset = {position.offset}, then `citybrain audit --repair`"
                )
                raise SpoolLost(message)
        return Position(self._source.topic_id, number, self._next[number])

    def _first_free(self, partition: int) -> int:
        return self._ledger.next_offset(self._source.topic_id, partition) or 0

    def _covered(self, report: BackfillReport) -> dict[Kind, int]:
        """Number of the last record of each kind that is stored."""
        found: dict[Kind, int] = {}
        for number, kind in enumerate(KINDS):
            covered = self._ledger.covered(self._source.topic_id, number)
            found[kind] = covered.last or 0
            report.before += sum(last - first + 1 for first, last in covered.ranges())
        return found

    def _finish_spooled(self) -> None:
        block = self._spool.read()
        if block is None:
            return
        if block.position.offset == self._first_free(block.position.partition):
            try:
                self._writer.check_half_stored(block.position)
                self._store_block(block)
            except HalfStoredLongAgo:
                with self._held() as hold:
                    complete(self._store, block.position, block.header.to_kafka(), block.value, hold.check)
        self._spool.clear()

    def _store_block(self, block: Spooled) -> Tally:
        """StoreUnavailable after TRIES tries; the spool keeps the block."""
        while self._watcher.held():
            time.sleep(HELD_PAUSE_SECONDS)
        for pause in _pauses():
            try:
                tally = self._writer.write(block.position, block.header.to_kafka(), block.value)
                break
            except StoreUnavailable:
                if pause is None:
                    raise
                time.sleep(pause)
        self._next[block.position.partition] = block.position.offset + 1
        self._spool.clear()
        return tally


def _pauses() -> Iterator[float | None]:
    """Seconds after each try; None after the last one."""
    yield from (FIRST_PAUSE_SECONDS * 2**attempt for attempt in range(TRIES - 1))
    yield None
