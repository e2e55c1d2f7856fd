"""The ledger made to agree with the rows: lost entries are put back, counts follow the tables."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from kafka import TopicPartition

from schemas.block import SCHEMA_VERSION, BlockHeader
from schemas.errors import StoreUnavailable
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topic_ids import topic_ids
from schemas.topics import RAW, RISK
from sinks.ledger import Ledger, Position, Tally
from sinks.rebuild import replace_partition
from sinks.store import Store

log = logging.getLogger(__name__)

NAMES: Final = ", ".join(f"'{topic.name}'" for topic in RAW.values())
WHERE_FROM: Final = "risk_topic_id, risk_partition, risk_offset"
LOST: Final = f"""
SELECT {WHERE_FROM}, any(source_topic), any(source_topic_id), any(source_partition), min(source_offset), max(source_offset), count()
FROM (SELECT {WHERE_FROM}, source_topic, source_topic_id, source_partition, source_offset FROM events
      UNION ALL SELECT {WHERE_FROM}, source_topic, source_topic_id, source_partition, source_offset FROM rejected WHERE source_topic IN ({NAMES}))
WHERE ({WHERE_FROM}) NOT IN (SELECT {WHERE_FROM} FROM blocks) GROUP BY ALL
"""
COUNTED: Final = f"""
SELECT * EXCEPT (raw, all_rows, events_n, rejected_n) REPLACE (
    toUInt32(if(raw, events_n, stored)) AS stored, toUInt32(if(raw, rejected_n, rejected)) AS rejected,
    toUInt32(if(raw, greatest(0, all_rows - events_n - rejected_n), repeated)) AS repeated)
FROM (SELECT *, source_topic IN ({NAMES}) AS raw, toInt64(stored) + rejected + repeated AS all_rows
      FROM (SELECT * FROM blocks ORDER BY stored_at LIMIT 1 BY {WHERE_FROM})) AS entered
LEFT JOIN (SELECT {WHERE_FROM}, toInt64(sum(accepted)) AS events_n, toInt64(sum(1 - accepted)) AS rejected_n
           FROM (SELECT {WHERE_FROM}, 1 AS accepted FROM events UNION ALL SELECT {WHERE_FROM}, 0 FROM rejected)
           GROUP BY {WHERE_FROM}) AS counted USING ({WHERE_FROM})
"""
SUMS: Final = "SELECT count(), sum(stored), sum(rejected), sum(repeated) FROM"


def restore_lost(broker: Broker, store: Store) -> int:
    """Put back ledger rows of records that have rows in the tables; their counts are set by `count_again`. Rows put back.

    What they cover comes from the record's headers; past its retention, from the rows.
    """
    lost = store.query(LOST)
    topic_id = topic_ids(broker, [RISK.name])[RISK.name] if lost else ""
    for life, partition, offset, topic, source_id, source_partition, first, last, rows in lost:
        position = Position(life, partition, offset)
        header = _header(broker, position) if life == topic_id else None
        header = header or BlockHeader(SCHEMA_VERSION, topic, source_id, source_partition, first, last, rows, 0)
        Ledger(store).write(position, header, Tally(0, 0, header.rows, 0, 0), f"/{hash((first, last, rows))}/restored")
        log.warning("put back into the ledger: %s, %s[%d] %d to %d", position, topic, source_partition, first, last)
    return len(lost)


def count_again(store: Store, check: Callable[[], None]) -> int:
    """Set stored, rejected and repeated of each ledger row by the tables, and drop second rows of one record. Rows changed.

    One exchange of the whole table: at no moment is a covered range missing.
    """
    wanted = f"SELECT * FROM ({COUNTED})"
    ((changed,),) = store.query(
        f"SELECT count() FROM (SELECT {WHERE_FROM}, stored, rejected, repeated FROM blocks EXCEPT "
        f"SELECT {WHERE_FROM}, stored, rejected, repeated FROM ({COUNTED}))"
    )
    if not changed and store.query(f"{SUMS} ({wanted})") == store.query(f"{SUMS} blocks"):
        return 0
    store.command("DROP TABLE IF EXISTS blocks_beside")
    store.command("CREATE TABLE blocks_beside AS blocks")
    store.command(f"INSERT INTO blocks_beside {wanted} SETTINGS insert_deduplicate = 0")
    if store.query(f"{SUMS} blocks_beside") != store.query(f"{SUMS} ({wanted})"):
        raise StoreUnavailable("blocks", 0, "what was built beside the ledger is not what was counted; run it again")
    check()
    replace_partition(store, "blocks", "blocks_beside", "all")
    store.command("DROP TABLE blocks_beside")
    return int(changed)


def _header(broker: Broker, position: Position) -> BlockHeader | None:
    """Headers of a record of `citybrain.risk`; None when the log no longer holds it."""
    consumer = open_consumer(reader(broker))
    partition = TopicPartition(RISK.name, position.partition)
    try:
        first, end = consumer.beginning_offsets([partition])[partition], consumer.end_offsets([partition])[partition]
        if not first <= position.offset < end:
            return None
        consumer.assign([partition])
        consumer.seek(partition, position.offset)
        records: list[Any] = consumer.poll(timeout_ms=10_000).get(partition, [])
        return next((BlockHeader.from_kafka(record.headers) for record in records if record.offset == position.offset), None)
    finally:
        consumer.close()
