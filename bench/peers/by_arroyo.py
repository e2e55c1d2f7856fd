"""Arroyo (the Kafka library of Sentry): one strategy of work, one of batches, one of inserting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, build_kafka_consumer_configuration
from arroyo.processing.processor import StreamProcessor
from arroyo.processing.strategies import CommitOffsets, ProcessingStrategyFactory, RunTask
from arroyo.processing.strategies.batching import BatchStep
from arroyo.types import Topic

from bench.peers.job import BATCH, Counted, asked, row_of

WANTED = asked()
SINK = Counted("arroyo", "sentry-arroyo", WANTED)


def work(message: Any) -> Any:
    """One row."""
    SINK.begin()
    return row_of(message.payload.value)


def insert(message: Any) -> None:
    """One batch."""
    SINK.insert([value.payload for value in message.payload])


class _Strategies(ProcessingStrategyFactory):
    def create_with_partitions(self, commit: Any, partitions: Mapping[Any, int]) -> Any:
        del partitions
        return RunTask(work, BatchStep(BATCH, 0.5, RunTask(insert, CommitOffsets(commit))))


class _Several(KafkaConsumer):
    """A processor of Arroyo takes one topic; its consumer takes several."""

    def subscribe(self, topics: Any, **callbacks: Any) -> None:
        del topics
        super().subscribe([Topic(name) for name in WANTED.topics], **callbacks)


def main() -> None:
    """Run until the sink has seen every event."""
    options = build_kafka_consumer_configuration(
        {}, bootstrap_servers=[WANTED.broker], auto_offset_reset="earliest", group_id=f"peer-arroyo-{time.time():.0f}"
    )
    StreamProcessor(_Several(options), Topic(WANTED.topics[0]), _Strategies()).run()


if __name__ == "__main__":
    main()
