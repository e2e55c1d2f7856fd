"""Events into Kafka: acknowledged by all replicas, in order, each delivery counted.

An idempotent producer may lose its sequence: the broker forgot it, or lost the end of its log. Then it refuses what follows, and
what was on its way has failed. The producer is made anew, and everything that was not confirmed is sent again, in its order.
A record that had arrived all the same is there twice then, under one id; the loader counts it once.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from kafka import KafkaProducer
from kafka.errors import (
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumberError,
    UnknownProducerIdError,
)

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
SEQUENCE_LOST: Final = (OutOfOrderSequenceNumberError, UnknownProducerIdError, InvalidProducerEpochError)
MOST_RENEWALS: Final = 3
"""In a row, without one delivery between them; then what is open counts as failed."""
HELD_BYTES: Final = 33_554_432
"""Most that waits for its confirmation: kafka-python has no bound of its own, and would take records until memory ends."""
EACH_BYTES: Final = 1_000
"""What a record that waits costs beside its value: batch, future, headers."""
ROOM_SECONDS: Final = 60.0
OURS: Final = {"bootstrap_timeout_ms": FIRST_ANSWER_MS, "max_request_size": LONGEST_BYTES}

log = logging.getLogger(__name__)


class _Sent(NamedTuple):
    """What KafkaProducer.send was given, and its future."""

    arguments: tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]], int | None]
    future: Any


class EventProducer:
    """One idempotent producer. Not for several threads. It holds `held_bytes`; what comes then has to wait."""

    def __init__(self, broker: Broker, *, held_bytes: int = HELD_BYTES, **overrides: Any) -> None:
        self._broker, self._held_bytes, self._overrides = broker, held_bytes, overrides
        self._producer = self._connect()
        self._open: deque[_Sent] = deque()
        self._open_bytes = 0
        self.renewals = 0
        """How often the producer was made anew since something was delivered."""
        self._counts: dict[str, int] = {}
        self._counts_until = 0.0
        self.sent = 0
        self.delivered = 0
        self.failed = 0

    def send(self, event: Outgoing) -> None:
        """Hand one event over; waits while too much is not confirmed yet. BrokerUnavailable when that lasts a minute."""
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
        self.sent += 1
        self._hand_over((topic, value, key, headers, partition))
        # A callback a record costs a tenth of the whole send; settled futures are counted in sweeps instead.
        if len(self._open) >= SWEEP or self._open_bytes >= self._held_bytes:
            self._sweep()
            self._wait_for_room()

    def flush(self, seconds: float = 120.0) -> None:
        """Wait until everything handed over is delivered or has failed."""
        flushed = None
        while flushed is not self._producer:  # one that was made anew meanwhile has records of its own
            flushed = self._producer
            try:
                flushed.flush(timeout=seconds)
            except KafkaTimeoutError as error:
                raise self._away(error) from error
            deadline = time.monotonic() + 5
            while self._open and flushed is self._producer and time.monotonic() < deadline:
                self._sweep()
                if self._open:
                    time.sleep(0.01)  # futures are settled just after their batches

    def close(self) -> None:
        """Give the connection back. What is not confirmed by then counts as failed."""
        self._shut()
        while self._open:
            self._count_one(self._open.popleft())
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
            try:
                self._counts[topic] = len(self._producer.partitions_for(topic))
            except KafkaTimeoutError as error:
                raise self._away(error) from error
        return self._counts[topic]

    def _connect(self) -> KafkaProducer:
        try:
            return KafkaProducer(**(producer(self._broker) | OURS | self._overrides))
        except KafkaError as error:
            raise self._away(error) from error

    def _shut(self) -> None:
        """End the client; afterwards everything is settled."""
        try:
            self._producer.close(timeout=10)
        except KafkaTimeoutError:
            self._producer._sender.force_close()  # noqa: SLF001  close() gives up before it comes to this
            self._producer.close(timeout=10)

    def _hand_over(self, arguments: tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]], int | None]) -> None:
        try:
            self._open.append(_Sent(arguments, self._producer.send(*arguments)))
            self._open_bytes += EACH_BYTES + len(arguments[1] or b"")
        except KafkaTimeoutError as error:
            raise self._away(error) from error
        except MessageSizeTooLargeError:
            self.failed += 1

    def _sweep(self) -> None:
        """Count the futures that are settled, oldest first; a batch settles in order."""
        while self._open and self._open[0].future.is_done:
            if isinstance(self._open[0].future.exception, SEQUENCE_LOST) and self.renewals < MOST_RENEWALS:
                self._renew()
            else:
                self._count_one(self._open.popleft())

    def _count_one(self, sent: _Sent) -> None:
        self._open_bytes -= EACH_BYTES + len(sent.arguments[1] or b"")
        if sent.future.succeeded():
            self.delivered += 1
            self.renewals = 0
        else:
            self.failed += 1

    def _wait_for_room(self) -> None:
        deadline = time.monotonic() + ROOM_SECONDS
        while self._open_bytes >= self._held_bytes:
            if time.monotonic() > deadline:
                raise self._away(KafkaTimeoutError(f"{len(self._open)} records were not confirmed within {ROOM_SECONDS:.0f} s"))
            time.sleep(0.005)
            self._sweep()

    def _renew(self) -> None:
        self._shut()
        waiting = list(self._open)
        self._open.clear()
        self._open_bytes = 0
        self.delivered += sum(sent.future.succeeded() for sent in waiting)
        again = [sent.arguments for sent in waiting if not sent.future.succeeded()]
        log.warning("the broker does not know this producer's sequence any more; a new one sends %d records again", len(again))
        self._producer = self._connect()
        self.renewals += 1
        for arguments in again:
            self._hand_over(arguments)

    def _away(self, error: KafkaError) -> BrokerUnavailable:
        return BrokerUnavailable(
            f"no answer from Kafka at {self._broker.bootstrap} ({error!r}); is it running, and is CITYBRAIN_BROKER__BOOTSTRAP right?"
        )
