"""Read ranges of a raw topic again, and send their blocks once more.

The loader drops what is covered already, so reading too much costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from schemas.block import MAX_BYTES, MAX_ROWS, encode_block
from schemas.errors import BrokerUnavailable
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, producer, reader
from schemas.topics import RISK
from streams.columns import columns_of
from streams.cook import Kitchen, cook
from streams.raw_log import RawLog
from streams.records import RawRecord
from streams.worker import header_of

WAIT_MS = 10_000


class Range(NamedTuple):
    """Offsets first..last of one source partition, both included."""

    topic: str
    partition: int
    first: int
    last: int


class Reread(NamedTuple):
    """Records read again, and blocks sent."""

    records: int
    blocks: int


def reread(broker: Broker, kitchen: Kitchen, wanted: Range, progress: Callable[[int], None] = lambda _: None) -> Reread:
    """Cook a range again and send its blocks. BrokerUnavailable when Kafka does not answer or did not confirm.

    What retention has removed from the range is left out; the audit goes on reporting it.
    """
    sender = KafkaProducer(**(producer(broker) | {"max_request_size": RISK.max_message_bytes}))
    raw_log = RawLog(broker)
    records = blocks = 0
    try:
        topic_id = raw_log.ids([wanted.topic])[wanted.topic]
        for part in records_of(broker, wanted):
            for block in columns_of(part).in_blocks(MAX_ROWS, MAX_BYTES):
                cooked = cook(kitchen, block)
                header = header_of(cooked, wanted.topic, raw_log.check_life(wanted.topic, topic_id), wanted.partition)
                sent = sender.send(RISK.name, encode_block(cooked.table), headers=header.to_kafka(), partition=wanted.partition)
                sent.get(timeout=60)
                records, blocks = records + len(block), blocks + 1
                progress(records)
    except KafkaError as error:
        message = f"{wanted.topic}[{wanted.partition}]: {error!r} after {records} records; run the same command again"
        raise BrokerUnavailable(message) from error
    finally:
        raw_log.close()
        sender.close(timeout=10)
    return Reread(records, blocks)


def records_of(broker: Broker, wanted: Range) -> Iterator[list[RawRecord]]:
    """What the log still holds of the range, in parts of at most MAX_ROWS records."""
    consumer = open_consumer(reader(broker) | {"max_poll_records": MAX_ROWS})
    partition = TopicPartition(wanted.topic, wanted.partition)
    try:
        consumer.assign([partition])
        first = max(wanted.first, consumer.beginning_offsets([partition])[partition])
        last = min(wanted.last, consumer.end_offsets([partition])[partition] - 1)
        consumer.seek(partition, first)
        while consumer.position(partition) <= last:
            part = consumer.poll(timeout_ms=WAIT_MS).get(partition, [])
            if not part:
                message = f"{wanted.topic}[{wanted.partition}]: no record from offset {consumer.position(partition)}"
                raise BrokerUnavailable(message)
            inside = [RawRecord(r.offset, r.timestamp, r.value, r.headers) for r in part if r.offset <= last]
            if inside:
                yield inside
    finally:
        consumer.close()
