"""Rows that are missing although the ledger says they are stored: read from the log again, cooked again, inserted in place."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Final

from citybrain.audit.raw_log import LogPart
from citybrain.raw_records import Place, fetch
from schemas.block import SCHEMA_VERSION, BlockHeader
from schemas.kafka_options import Broker
from sinks.covered import Covered
from sinks.ledger import Position
from sinks.repeats import RecentEvents
from sinks.sorting import sort_block
from sinks.store import Store
from streams.cook import Kitchen, cook
from streams.records import RawRecord

MOST: Final = 5_000
"""Records cooked at a time."""
LEDGER: Final = """
SELECT risk_topic_id, risk_partition, risk_offset, first_offset, last_offset FROM blocks
WHERE source_topic_id = {topic:String} AND source_partition = {partition:UInt16} ORDER BY risk_offset
"""


def fill(broker: Broker, store: Store, part: LogPart, offsets: list[int], kitchen: Kitchen, check: Callable[[], None]) -> int:
    """Store the records at these offsets of a partition, each under the record of `citybrain.risk` that covers it.

    Offsets that nothing covers are left: reading them again is the loader's way. Rows inserted.
    """
    filled = 0
    left = set(offsets)
    for topic_id, risk_partition, risk_offset, first, last in store.query(
        LEDGER, {"topic": part.topic_id, "partition": part.partition}
    ):
        wanted = sorted(offset for offset in left if first <= offset <= last)
        left -= set(wanted)
        position = Position(topic_id, risk_partition, risk_offset)
        for start in range(0, len(wanted), MOST):
            check()
            filled += _fill(broker, store, part, wanted[start : start + MOST], kitchen, position)
    return filled


def _fill(broker: Broker, store: Store, part: LogPart, offsets: list[int], kitchen: Kitchen, position: Position) -> int:
    records = _records(broker, part, offsets)
    if not records:
        return 0
    cooked = cook(kitchen, records)
    header = BlockHeader(
        SCHEMA_VERSION, part.topic, part.topic_id, part.partition, records[0].offset, records[-1].offset, len(records), 0
    )
    # Nothing is screened: the audit has found that these records are stored nowhere. Repeats among them are.
    rows = sort_block(cooked.table, header, position, Covered(), RecentEvents(), lambda _: {})
    for table, found in (("events", rows.events), ("rejected", rows.rejected)):
        if found.num_rows:
            store.insert(table, found, f"{position.token(table)}/{uuid.uuid4()}")
    return rows.tally.stored + rows.tally.rejected


def _records(broker: Broker, part: LogPart, offsets: Iterable[int]) -> list[RawRecord]:
    places = [Place(part.topic, part.partition, offset) for offset in offsets]
    return [RawRecord(record.place.offset, record.timestamp, record.value, record.headers) for record in fetch(broker, places)]
