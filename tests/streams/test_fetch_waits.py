"""A fetch waits at the broker only while nothing waits for us."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.kafka_options import Broker
from streams.fetch_waits import FetchWaits, Standing, wait_only_at_the_end

AGE: Final = 500
NOW: Final = 1_800_000_000_000
A, B, C = (TopicPartition("raw", number) for number in range(3))


def test_all_are_asked_and_wait_while_nothing_is_known_to_wait() -> None:
    assert FetchWaits().wanted({A: 5, B: 0}, {A: Standing(5, 5, NOW)}, AGE, NOW) is None


def test_who_is_behind_is_asked_at_once_and_who_is_not_once_an_age() -> None:
    waits = FetchWaits()
    behind, read = Standing(5, 9, NOW - 20), Standing(7, 7, NOW - 20)
    assert waits.wanted({A: 5, B: 7}, {A: behind, B: read}, AGE, NOW) == {A}
    assert waits.wanted({A: 6, B: 7}, {A: behind, B: read}, AGE, NOW + AGE) == {A, B}
    assert waits.wanted({A: 8, B: 7, C: 0}, {A: behind, B: read}, AGE, NOW) == {A, C}, "C was never answered"


def test_records_that_are_here_and_not_taken_are_behind_too() -> None:
    here = Standing(5, 9, NOW)
    assert FetchWaits().wanted({B: 7}, {A: here, B: Standing(7, 7, NOW)}, AGE, NOW) == set()


def test_an_end_that_cannot_be_reached_is_not_asked_without_end() -> None:
    waits, open_transaction = FetchWaits(), {A: Standing(5, 9, NOW)}
    assert waits.wanted({A: 5}, open_transaction, AGE, NOW) == {A}
    assert waits.wanted({A: 5}, open_transaction, AGE, NOW) is None
    assert waits.wanted({A: 6}, {A: Standing(6, 9, NOW)}, AGE, NOW) == {A}


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    standings = {A: Standing(5, 9, NOW), B: Standing(7, 7, NOW + 3_600_000)}
    assert FetchWaits().wanted({A: 5, B: 7}, standings, AGE, NOW) == {A, B}


async def test_a_partition_at_its_end_keeps_no_other_from_being_fetched(broker: Broker) -> None:
    long_ms, part, records = 20_000, 4_096, 40
    full, short = (f"fetch-waits-{secrets.token_hex(4)}" for _ in range(2))
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in (full, short)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for _ in range(records):
            await producer.send_and_wait(full, secrets.token_bytes(part - 200))
        await producer.send_and_wait(short, b"one")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap, fetch_max_wait_ms=long_ms, fetch_min_bytes=part, max_partition_fetch_bytes=part,
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    try:
        wait_only_at_the_end(consumer._fetcher)
        consumer.assign([TopicPartition(full, 0), TopicPartition(short, 0)])
        started, read = time.monotonic(), 0
        while read < records + 1:
            async with asyncio.timeout(2 * long_ms / 1000):
                read += sum(map(len, (await consumer.getmany(timeout_ms=1_000)).values()))
        assert time.monotonic() - started < long_ms / 1000, "a fetch of the partition that was read waited an age"
    finally:
        await consumer.stop()
