"""The ledger `blocks`: which record of `citybrain.risk` is stored, and which source offsets that covers.

It is the loader's position. The consumer group's committed offset is for lag displays only (docs/decisions/0003).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas.block import BlockHeader
from sinks.covered import Covered
from sinks.repeats import HORIZON
from sinks.screen import Keys
from sinks.store import Store


class Position(NamedTuple):
    """A record of `citybrain.risk` or `citybrain.alerts`, by topic UUID: a re-created topic starts a new life."""

    topic_id: str
    partition: int
    offset: int

    def token(self, table: str) -> str:
        """The deduplication token of this record's insert into `table`."""
        return f"{self.topic_id}/{self.partition}/{self.offset}/{table}"


class Tally(NamedTuple):
    """What became of a block's rows."""

    stored: int
    rejected: int
    repeated: int
    conflict: int
    redelivered: int


class Ledger:
    """Reads and writes `blocks` through one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_offset(self, topic_id: str, partition: int) -> int | None:
        """Offset after the last stored record of a partition, None when none is stored."""
        rows = self._store.query(
            "SELECT count(), max(risk_offset) FROM blocks WHERE risk_topic_id = {topic:String} AND risk_partition = {partition:UInt16}",
            {"topic": topic_id, "partition": partition},
        )
        ((count, last),) = rows
        return int(last) + 1 if count else None

    def tally(self, position: Position) -> Tally | None:
        """What the ledger says of a record; None when it is not stored."""
        rows = self._store.query(
            "SELECT stored, rejected, repeated, conflict, redelivered FROM blocks WHERE risk_topic_id = {topic:String} "
            "AND risk_partition = {partition:UInt16} AND risk_offset = {offset:UInt64} LIMIT 1",
            {"topic": position.topic_id, "partition": position.partition, "offset": position.offset},
        )
        return Tally(*rows[0]) if rows else None

    def covered(self, source_topic_id: str, partition: int) -> Covered:
        """Source offsets that stored records cover, over every life of the risk topic."""
        return Covered(
            self._store.query(
                "SELECT first_offset, last_offset FROM blocks WHERE source_topic_id = {topic:String} AND source_partition = {partition:UInt16}",
                {"topic": source_topic_id, "partition": partition},
            )
        )

    def recent_keys(self, source_topic_id: str, partition: int, newest: int, besides: Position) -> Keys:
        """`event_key` of stored events within the repeat horizon, without those of the record being stored."""
        table = self._store.query_arrow(
            "SELECT event_key FROM events WHERE source_topic_id = {topic:String} AND source_partition = {partition:UInt16} "
            "AND source_offset >= {oldest:UInt64} AND NOT " + BESIDES,
            {"topic": source_topic_id, "partition": partition, "oldest": max(0, newest - HORIZON), **_besides(besides)},
        )
        keys: Keys = table["event_key"].to_numpy().astype(np.uint64, copy=False)
        return keys

    def stored_bodies(
        self, source_topic_id: str, partition: int, newest: int, keys: list[int], besides: Position
    ) -> dict[tuple[str, str], int]:
        """(source, id) to body hash of stored events with these keys within the repeat horizon, the first offset deciding.

        The horizon is counted from the record's own last offset, so that a retry decides alike.
        """
        rows = self._store.query(
            "SELECT source, id, argMin(body_hash, source_offset) FROM events WHERE source_topic_id = {topic:String} "
            "AND source_partition = {partition:UInt16} AND source_offset >= {oldest:UInt64} AND has({keys:Array(UInt64)}, event_key) "
            "AND NOT " + BESIDES + " GROUP BY source, id",
            {
                "topic": source_topic_id,
                "partition": partition,
                "keys": keys,
                "oldest": max(0, newest - HORIZON),
                **_besides(besides),
            },
        )
        return {(str(source), str(event_id)): int(body) for source, event_id, body in rows}

    def half_stored(self, position: Position) -> int:
        """Blocks stored since the first rows of this record went in, 0 when it has none: how far its token has aged."""
        rows = self._store.query(
            f"SELECT count() FROM blocks WHERE stored_at >= (SELECT min(stored_at) FROM (SELECT stored_at FROM events WHERE {BESIDES} "
            f"UNION ALL SELECT stored_at FROM rejected WHERE {BESIDES}) HAVING count() > 0)",
            _besides(position),
        )
        return int(rows[0][0])

    def has_rows_of(self, position: Position) -> bool:
        """Whether anything of this record is stored."""
        return any(self.offsets_of(position, table) for table in ("events", "rejected"))

    def offsets_of(self, position: Position, table: str) -> list[int]:
        """Source offsets of the rows of this record in `events` or `rejected`."""
        rows = self._store.query(f"SELECT source_offset FROM {table} WHERE {BESIDES}", _besides(position))
        return [int(offset) for (offset,) in rows]

    def write(self, position: Position, header: BlockHeader, tally: Tally, again: str = "") -> None:
        """Enter a record as stored; only after its inserts are confirmed. `again` makes another token of its own."""
        row = pa.table(
            {
                "risk_topic_id": [position.topic_id],
                "risk_partition": pa.array([position.partition], pa.uint16()),
                "risk_offset": pa.array([position.offset], pa.uint64()),
                "source_topic": [header.source_topic],
                "source_topic_id": [header.source_topic_id],
                "source_partition": pa.array([header.source_partition], pa.uint16()),
                "first_offset": pa.array([header.first_offset], pa.uint64()),
                "last_offset": pa.array([header.last_offset], pa.uint64()),
                **{name: pa.array([value], pa.uint32()) for name, value in tally._asdict().items()},
                "schema_version": pa.array([header.schema_version], pa.uint16()),
            }
        )
        self._store.insert("blocks", row, position.token("blocks") + again)


BESIDES = "(risk_topic_id = {besides_topic:String} AND risk_partition = {besides_partition:UInt16} AND risk_offset = {besides_offset:UInt64})"


def _besides(position: Position) -> dict[str, object]:
    return {
        "besides_topic": position.topic_id,
        "besides_partition": position.partition,
        "besides_offset": position.offset,
    }
