"""The producer on a real broker: what it promises, and what it says when the broker is away."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from ingest.outgoing import CONTENT_TYPE, Outgoing, Wire, encode
from ingest.producer import FIRST_ANSWER_MS, LONGEST_BYTES, EventProducer
from schemas.errors import BrokerUnavailable
from schemas.events import event_key
from schemas.kafka_options import Broker, producer, reader
from schemas.topics import RAW

GRID = TopicPartition(RAW["grid"].name, 0)


def event(number: int, text: str = "") -> Outgoing:
    return Outgoing("grid", "urn:test:producer", f"n{number}", datetime(2026, 1, 1, tzinfo=UTC), {"text": text})


def end(broker: Broker) -> int:
    """Where the grid topic ends now."""
    consumer = KafkaConsumer(**reader(broker))
    try:
        return int(consumer.end_offsets([GRID])[GRID])
    finally:
        consumer.close()


def test_options_wait_for_all_replicas_and_keep_repeats_of_a_connection_out() -> None:
    options = producer(Broker())

    assert (options["acks"], options["enable_idempotence"]) == ("all", True)


def test_events_arrive_once_in_order_with_key_and_type(broker: Broker) -> None:
    start = end(broker)
    with EventProducer(broker) as sender:
        for number in range(500):
            sender.send(event(number))

    assert (sender.sent, sender.delivered, sender.failed) == (500, 500, 0)
    assert end(broker) == start + 500
    consumer = KafkaConsumer(**reader(broker))
    consumer.assign([GRID])
    consumer.seek(GRID, start)
    got: list[Any] = []
    while len(got) < 500:
        got += [record for records in consumer.poll(5_000).values() for record in records]
    consumer.close()
    assert [record.key for record in got] == [event_key("urn:test:producer", f"n{number}") for number in range(500)]
    assert [record.value for record in got] == [encode(event(number)).value for number in range(500)]
    assert got[0].headers == [CONTENT_TYPE]


def test_a_record_too_large_for_the_topic_is_counted_as_failed_and_its_neighbours_arrive(broker: Broker) -> None:
    """It is stopped here: the broker's refusal would end an idempotent producer, neighbours and all."""
    start = end(broker)
    with EventProducer(broker) as sender:
        sender.send(event(1))
        sender.flush()
        sender.send_wire(Wire("grid", b"big", os.urandom(RAW["grid"].max_message_bytes + 100_000)))
        sender.flush()
        sender.send(event(2))

    assert (sender.sent, sender.delivered, sender.failed) == (3, 2, 1)
    assert end(broker) == start + 2


def test_the_longest_record_we_hand_over_is_taken_by_the_broker(broker: Broker) -> None:
    """Bytes that no packing makes smaller, just under the limit."""
    with EventProducer(broker) as sender:
        sender.send_wire(Wire("grid", b"big", os.urandom(LONGEST_BYTES - 200)))

    assert (sender.delivered, sender.failed) == (1, 0)


def test_a_delivery_the_broker_refuses_is_counted(broker: Broker) -> None:
    """With the guard above turned off."""
    with EventProducer(broker, max_request_size=8_388_608) as sender:
        sender.send_wire(Wire("grid", b"big", os.urandom(RAW["grid"].max_message_bytes + 100_000)))
        sender.flush()

    assert (sender.sent, sender.delivered, sender.failed) == (1, 0, 1)


def test_a_broker_that_is_not_there_is_named_within_seconds(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        started = time.monotonic()

        with pytest.raises(
            BrokerUnavailable, match=f"no answer from Kafka at {address} .*CITYBRAIN_BROKER__BOOTSTRAP"
        ) as caught:
            EventProducer(Broker(bootstrap=address), bootstrap_timeout_ms=1_500)

    assert caught.value.retryable
    assert time.monotonic() - started < FIRST_ANSWER_MS / 1000
