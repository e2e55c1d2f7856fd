"""Bytewax: its Kafka source in batches, one step of work by the batch, a sink of our own."""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from bench.peers.job import BATCH, Counted, asked, row_of

WANTED = asked()
SINK = Counted("bytewax", "bytewax", WANTED)


class _Partition(StatelessSinkPartition):
    def write_batch(self, items: list[Any]) -> None:
        for rows in items:
            SINK.insert(rows)


class _Sink(DynamicSink):
    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Partition:
        del step_id, worker_index, worker_count
        return _Partition()


def work(messages: list[Any]) -> list[list[Any]]:
    """Rows of a batch, as one item."""
    if not messages:
        return []
    SINK.begin()
    return [[row_of(message.value) for message in messages]]


flow = Dataflow("peer")
records = op.input("records", flow, KafkaSource([WANTED.broker], WANTED.topics, batch_size=BATCH, tail=True))
op.output("store", op.flat_map_batch("work", records, work), _Sink())

if __name__ == "__main__":
    run_main(flow)
