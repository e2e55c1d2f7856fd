"""A record that was begun and not finished, completed exactly, whether or not the store remembers its tokens.

What is stored of it is found by its place in `citybrain.risk` and compared with the record; what is missing is inserted, the
buckets of its rows are counted again, and then it enters the ledger. Only under a hold (docs/decisions/0035).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from kafka import KafkaConsumer, TopicPartition

from schemas.block import BlockHeader
from schemas.errors import BrokerUnavailable, StoreUnsafe
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topic_ids import topic_ids
from schemas.topics import RISK
from sinks.ledger import Ledger, Position, Tally
from sinks.rebuild import rebuild, targets
from sinks.store import Store
from sinks.writer import BlockWriter, HalfStoredLongAgo

log = logging.getLogger(__name__)

WAIT_MS = 10_000


def complete_half_stored(broker: Broker, store: Store, check: Callable[[], None]) -> list[Position]:
    """Complete the record after the ledger's last one in every partition, if rows of it are stored. Those completed."""
    topic_id = topic_ids(broker, [RISK.name])[RISK.name]
    ledger = Ledger(store)
    consumer = open_consumer(reader(broker))
    done = []
    try:
        for number in sorted(consumer.partitions_for_topic(RISK.name) or ()):
            partition = TopicPartition(RISK.name, number)
            first = consumer.beginning_offsets([partition])[partition]
            position = Position(topic_id, number, max(first, ledger.next_offset(topic_id, number) or 0))
            if not ledger.has_rows_of(position):
                continue
            record = _record(consumer, partition, position.offset)
            try:
                writer = BlockWriter(store)
                writer.check_half_stored(position)
                writer.write(position, record.headers, record.value)  # all tables know its tokens: the loader's own way
            except HalfStoredLongAgo:
                complete(store, position, record.headers, record.value, check)
            done.append(position)
    finally:
        consumer.close()
    return done


def complete(
    store: Store, position: Position, headers: list[tuple[str, bytes]], value: bytes, check: Callable[[], None]
) -> Tally:
    """Bring all tables to where `BlockWriter.write` leaves them. Called again after a crash it goes on.

    StoreUnsafe: rows are stored under this record that are not its own, or twice.
    """
    ledger = Ledger(store)
    if stored := ledger.tally(position):
        return stored
    header = BlockHeader.from_kafka(headers)
    rows = BlockWriter(store).sort(position, header, value)
    for table, wanted in (("events", rows.events), ("rejected", rows.rejected)):
        _insert_missing(store, table, wanted, position)
    here = (
        f"risk_topic_id = '{position.topic_id}' AND risk_partition = {position.partition} AND risk_offset = {position.offset}"
    )
    for target in targets(store):
        rebuild(store, target, here, check)
    ledger.write(position, header, rows.tally)
    if ledger.tally(position) is None:  # its row was stored before and is gone: the token is taken
        ledger.write(position, header, rows.tally, "again")
    log.warning("%s was half stored and is complete now: %s", position, rows.tally)
    return rows.tally


def _insert_missing(store: Store, table: str, wanted: pa.Table, position: Position) -> None:
    missing = _missing(store, table, wanted, position)
    # The record's own token first: should somebody who was long asleep still insert it, nothing is doubled.
    tokens = [position.token(table)] if missing.num_rows == wanted.num_rows else []
    for token in [*tokens, f"{position.token(table)}/{_digest(missing)}"]:
        if missing.num_rows:
            store.insert(table, missing, token)
            missing = _missing(store, table, wanted, position)
    if missing.num_rows:
        message = f"{table}: {missing.num_rows} rows of {position} cannot be inserted; run `citybrain audit --repair`"
        raise StoreUnsafe(message)


def _missing(store: Store, table: str, wanted: pa.Table, position: Position) -> pa.Table:
    stored = Ledger(store).offsets_of(position, table)
    offsets = set(wanted["source_offset"].to_pylist())
    if len(set(stored)) != len(stored) or not offsets.issuperset(stored):
        message = (
            f"{table}: stored under {position} are {len(stored)} rows at {len(set(stored))} offsets, and the record has "
            f"{len(offsets)}: not what a crash leaves; run `citybrain audit --repair`"
        )
        raise StoreUnsafe(message)
    return wanted.filter(pc.invert(pc.is_in(wanted["source_offset"], pa.array(stored, pa.uint64()))))


def _digest(rows: pa.Table) -> str:
    return xxhash.xxh3_64_hexdigest(repr(rows["source_offset"].to_pylist()).encode())


def _record(consumer: KafkaConsumer, partition: TopicPartition, offset: int) -> Any:
    consumer.assign([partition])
    consumer.seek(partition, offset)
    for record in consumer.poll(timeout_ms=WAIT_MS).get(partition, []):
        if record.offset == offset:
            return record
    message = f"{partition.topic}[{partition.partition}]: no answer for offset {offset} in {WAIT_MS / 1000:.0f} s"
    raise BrokerUnavailable(message)
