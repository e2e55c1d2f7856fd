"""Every stored event, source partition by source partition, with its record where the raw log still holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import polars as pl
import pyarrow as pa
from kafka import TopicPartition

from schemas.events import Kind
from schemas.kafka_clients import open_consumer
from schemas.kafka_options import Broker, reader
from schemas.topic_ids import topic_ids
from schemas.topics import RAW
from streams.records import RawRecord
from streams.relabel import STORED
from streams.reread import Range, records_of

AT_ONCE: Final = 20_000
"""Stored rows that are read and decided at a time."""
KINDS: Final[dict[str, Kind]] = {topic.name: kind for kind, topic in RAW.items()}
SOURCES: Final = (
    "SELECT source_topic AS topic, source_topic_id AS topic_id, source_partition AS partition, min(source_offset) AS first, "
    "max(source_offset) AS last, count() AS rows FROM events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
ROWS: Final = (
    f"SELECT {', '.join(f'`{name}`' for name in (*STORED, 'source', 'id'))}, toString(e.at) AS at, toYYYYMM(e.at) AS month FROM events AS e "
    "WHERE source_topic_id = '{topic_id}' AND source_partition = {partition} AND source_offset BETWEEN {first} AND {last} "
    "ORDER BY source_offset LIMIT {limit}"
)
QueryArrow = Callable[[str], pa.Table]


class Source(NamedTuple):
    """One partition of one life of a topic, or a file: its stored rows stand between `first` and `last`."""

    topic: str
    topic_id: str
    partition: int
    first: int
    last: int
    rows: int

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others."""
        return self.topic_id, self.partition


class Part(NamedTuple):
    """Some stored rows of a source in order of offset, and records of the same stretch."""

    source: Source
    stored: pl.DataFrame
    records: list[RawRecord]


def sources(query: QueryArrow) -> list[Source]:
    """Where stored events come from."""
    return [Source(**row) for row in query(SOURCES).to_pylist()]


def parts(broker: Broker, query: QueryArrow, wanted: Iterable[Source]) -> Iterator[Part]:
    """All stored rows of these sources. BrokerUnavailable when Kafka does not answer."""
    alive = topic_ids(broker, list(KINDS))
    for source in wanted:
        first = source.last + 1
        if alive.get(source.topic) == source.topic_id:
            first = min(first, max(source.first, _oldest(broker, source)))
        yield from _without_log(query, source, first)
        yield from _with_log(broker, query, source, first)


def _without_log(query: QueryArrow, source: Source, end: int) -> Iterator[Part]:
    """Rows before offset `end`: of records that the log has lost, or never had."""
    first = source.first
    while first < end and len(rows := _rows(query, source, first, end - 1, AT_ONCE)):
        yield Part(source, rows, [])
        first = int(rows["source_offset"].max()) + 1  # type: ignore[arg-type]


def _with_log(broker: Broker, query: QueryArrow, source: Source, first: int) -> Iterator[Part]:
    """Rows from offset `first` on, with their records. The stretches of the parts leave nothing out between them."""
    held: list[RawRecord] = []
    for records in records_of(broker, Range(source.topic, source.partition, first, source.last)):
        held += records
        while len(held) >= AT_ONCE:
            here, held = held[:AT_ONCE], held[AT_ONCE:]
            yield Part(source, _rows(query, source, first, here[-1].offset), here)
            first = here[-1].offset + 1
    if first <= source.last:
        yield Part(source, _rows(query, source, first, source.last), held)


def _rows(query: QueryArrow, source: Source, first: int, last: int, limit: int = 1 << 40) -> pl.DataFrame:
    sql = ROWS.format(topic_id=source.topic_id, partition=source.partition, first=first, last=last, limit=limit)
    frame = pl.from_arrow(query(sql))
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - narrows the type: a table never gives a Series
    texts = [name for name in (*STORED, "source", "id", "at") if name not in {"source_offset", "metrics", "values"}]
    return frame.with_columns(*(pl.col(name).cast(pl.String) for name in texts), pl.col("metrics").cast(pl.List(pl.String)))


def _oldest(broker: Broker, source: Source) -> int:
    consumer: Any = open_consumer(reader(broker))
    try:
        partition = TopicPartition(source.topic, source.partition)
        return int(consumer.beginning_offsets([partition])[partition])
    finally:
        consumer.close()
