"""Events into Kafka: acknowledged by all replicas, in order, each delivery counted."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from ingest.outgoing import CONTENT_TYPE, Outgoing, Wire, encode
from ingest.partition import partition_of
from schemas import metrics
from schemas.errors import BrokerUnavailable
from schemas.events import Kind
from schemas.kafka_options import Broker, producer
from schemas.topics import RAW

HEADERS: Final = [CONTENT_TYPE]
SWEEP: Final = 5_000
"""Open deliveries after which settled ones are counted."""
FIRST_ANSWER_MS: Final = 10_000
"""How long to wait for a broker that does not answer at all; kafka-python would take 30 s."""
LONGEST_BYTES: Final = min(topic.max_message_bytes for topic in RAW.values()) - 4_096
"""Longest record that is handed to the broker. After one that the broker refuses, an idempotent producer is of no more use."""
COUNTS_SECONDS: Final = 30.0
"""How long the number of partitions of a topic is believed."""
OURS: Final = {"bootstrap_timeout_ms": FIRST_ANSWER_MS, "max_request_size": LONGEST_BYTES}


class EventProducer:
    """One idempotent producer. Not for several threads."""

    def __init__(self, broker: Broker, **overrides: Any) -> None:
        self._broker = broker
        try:
            self._producer = KafkaProducer(**(producer(broker) | OURS | overrides))
        except KafkaError as error:
            raise self._away(error) from error
        self._open: deque[Any] = deque()
        self._counts: dict[str, int] = {}
        self._counts_until = 0.0
        self.sent = 0
        self.delivered = 0
        self.failed = 0

    def send(self, event: Outgoing) -> None:
        """Hand one event over; waits while the buffer is full. BrokerUnavailable when that lasts a minute."""
        self.send_wire(encode(event))

    def send_wire(self, wire: Wire) -> None:
        """Hand over an event that is encoded already."""
        self.send_record(wire.kind, wire.key, wire.value, HEADERS)

    def send_record(
        self, kind: Kind, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]], partition: int | None = None
    ) -> None:
        """Hand over a record as it is, good or bad: what a retry of rejects and the tests need.

        Without `partition` the key decides. A record over LONGEST_BYTES is not sent; it counts as failed.
        """
        topic = RAW[kind].name
        if partition is None and key is not None:
            partition = partition_of(key, self._count(topic))
        try:
            future = self._producer.send(topic, value, key, headers, partition)
        except KafkaTimeoutError as error:
            raise self._away(error) from error
        except MessageSizeTooLargeError:
            self.sent += 1
            self.failed += 1
            return
        self.sent += 1
        # A callback a record costs a tenth of the whole send; settled futures are counted in sweeps instead.
        self._open.append(future)
        if len(self._open) >= SWEEP:
            self._sweep()

    def flush(self, seconds: float = 120.0) -> None:
        """Wait until everything handed over is delivered or has failed."""
        try:
            self._producer.flush(timeout=seconds)
        except KafkaTimeoutError as error:
            raise self._away(error) from error
        deadline = time.monotonic() + 5
        while self._open and time.monotonic() < deadline:
            self._sweep()
            if self._open:
                time.sleep(0.01)  # futures are settled just after their batches

    def close(self) -> None:
        """Flush and give the connection back."""
        self._producer.close(timeout=10)
        metrics.SENT.labels("all", "delivered").inc(self.delivered)
        metrics.SENT.labels("all", "failed").inc(self.failed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.flush()
        self.close()

    def _count(self, topic: str) -> int:
        """Partitions of a topic; asked again now and then, for somebody may add some."""
        now = time.monotonic()
        if now > self._counts_until:
            self._counts.clear()
            self._counts_until = now + COUNTS_SECONDS
        if topic not in self._counts:
            self._counts[topic] = len(self._producer.partitions_for(topic))
        return self._counts[topic]

    def _sweep(self) -> None:
        """Count the futures that are settled, oldest first; a batch settles in order."""
        while self._open and self._open[0].is_done:
            if self._open.popleft().succeeded():
                self.delivered += 1
            else:
                self.failed += 1

    def _away(self, error: KafkaError) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"no answer from Kafka at {self._broker.bootstrap} ({error!r}); is it running, and is CITYBRAIN_BROKER__BOOTSTRAP right?"
        )
