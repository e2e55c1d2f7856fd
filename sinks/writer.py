"""Store one record of `citybrain.risk`: read, sort, insert, enter in the ledger. Doing it twice changes nothing."""

from __future__ import annotations

import time
from typing import Any, Final

import pyarrow as pa

from schemas import metrics
from schemas.block import BlockHeader, open_block
from schemas.errors import CitybrainError
from sinks.covered import Covered
from sinks.ledger import Ledger, Position, Tally
from sinks.repeats import RecentEvents
from sinks.sorting import Sorted, sort_block
from sinks.store import Store

MOST_BLOCKS_SINCE: Final = 1_000
"""Other blocks that may have been stored since a half-stored record was begun. A token lives for 10,000 parts a table;
a block may be several parts (months), so a record this old is compared and completed instead (docs/decisions/0035)."""


class HalfStoredLongAgo(CitybrainError):
    """A record was begun so long ago that the store may have forgotten its tokens."""

    retryable = True

    def __init__(self, position: Position, since: int) -> None:
        super().__init__(position, since)
        self.position, self.since = position, since

    def __str__(self) -> str:
        return (
            f"record {self.position.offset} of risk partition {self.position.partition} is half stored, and {self.since} blocks were "
            f"stored since (at most {MOST_BLOCKS_SINCE}): its token may be forgotten, so it is completed under a hold"
        )


class SourceState:
    """What the writer knows of one source partition: covered offsets and recent events. Rebuilt from ClickHouse."""

    def __init__(self, covered: Covered, recent: RecentEvents) -> None:
        self.covered, self.recent = covered, recent


class BlockWriter:
    """Stores records of one partition of `citybrain.risk`, in order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ledger = Ledger(store)
        self._sources: dict[tuple[str, int], SourceState] = {}

    def check_half_stored(self, position: Position) -> None:
        """HalfStoredLongAgo: this record was begun, and its tokens may be forgotten: it may not be inserted blindly."""
        since = self._ledger.half_stored(position)
        if since > MOST_BLOCKS_SINCE:
            raise HalfStoredLongAgo(position, since)

    def store(self, position: Position, record: Any) -> Tally:
        """Store one record of Kafka."""
        return self.write(position, record.headers, record.value)

    def write(self, position: Position, headers: list[tuple[str, bytes]], value: bytes) -> Tally:
        """Store one record. StoreUnavailable: nothing is lost, call again with the same record."""
        header = BlockHeader.from_kafka(headers)
        block = open_block(header, value)
        source = (header.source_topic_id, header.source_partition)
        state = self._sources.get(source)
        if state is None:
            if stored := self._ledger.tally(position):
                return stored  # only the answer was lost; sorted again, its own rows would look redelivered
            state = self._load(source, header.last_offset, position)
        # The state is changed by sorting; should an insert fail, it is read again from what is really stored.
        self._sources.pop(source, None)
        rows = self._sort(block, header, position, state)
        for table, part in (("events", rows.events), ("rejected", rows.rejected)):
            if part.num_rows:
                started = time.perf_counter()
                self._store.insert(table, part, position.token(table))
                metrics.INSERT_SECONDS.labels(table).observe(time.perf_counter() - started)
        self._ledger.write(position, header, rows.tally)
        state.covered.add(header.first_offset, header.last_offset)
        self._sources[source] = state
        _measure(header, block, rows.tally, state.covered)
        return rows.tally

    def sort(self, position: Position, header: BlockHeader, value: bytes) -> Sorted:
        """What `write` would store of a record whose row is not in the ledger yet, whatever of it is stored already."""
        source = (header.source_topic_id, header.source_partition)
        return self._sort(open_block(header, value), header, position, self._load(source, header.last_offset, position))

    def _sort(self, block: pa.Table, header: BlockHeader, position: Position, state: SourceState) -> Sorted:
        source = (header.source_topic_id, header.source_partition)
        return sort_block(
            block, header, position, state.covered, state.recent,
            lambda keys: self._ledger.stored_bodies(*source, header.last_offset, keys, position),
        )  # fmt: skip

    def _load(self, source: tuple[str, int], newest: int, position: Position) -> SourceState:
        return SourceState(self._ledger.covered(*source), RecentEvents(self._ledger.recent_keys(*source, newest, position)))


def _measure(header: BlockHeader, block: pa.Table, tally: Tally, covered: Covered) -> None:
    oldest = block["received_at"][0].value / 1000
    metrics.QUERYABLE_SECONDS.observe(max(0.0, time.time() - oldest))
    metrics.STORED.labels("events").inc(tally.stored)
    metrics.STORED.labels("rejected").inc(tally.rejected)
    for how in ("repeated", "conflict", "redelivered"):
        metrics.REPEATED.labels(how).inc(getattr(tally, how))
    missing = sum(last - first + 1 for first, last in covered.holes())
    metrics.HOLES.labels(header.source_topic, str(header.source_partition)).set(missing)
