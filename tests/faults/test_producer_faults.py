"""What becomes of a producer: its sequence is lost, it is fifty times as busy as usual, the broker stands still meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from ingest.producer import EventProducer
from schemas.topics import RAW
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

USUAL_PER_SECOND = 100
BURST_PER_SECOND = 50 * USUAL_PER_SECOND
HELD_BYTES = 4_000_000
STANDS_STILL_SECONDS = 6.0
PARTS_MEGABYTES = {"work-1": 1_200, "load-1": 600, "store": 2_000}
"""More than this no part may hold, whatever waits."""


@pytest.fixture(autouse=True)
def working(parts: Parts) -> None:
    """A worker and a loader."""
    parts.want("work-1", "load-1")


def test_a_producer_whose_sequence_the_broker_does_not_know_is_made_anew(parts: Parts, traffic: Traffic) -> None:
    """The broker itself says OUT_OF_ORDER_SEQUENCE_NUMBER: for it, records between these and the last ones are missing."""
    with EventProducer(parts.broker) as producer:
        for wire in traffic.records():
            producer.send_wire(wire)
        producer.flush()
        first = producer._producer
        numbers = first._transaction_manager._sequence_numbers
        for partition in [tp for tp in numbers if tp.topic in {topic.name for topic in RAW.values()}]:
            numbers[partition] += 1_000
        for wire in traffic.records():
            producer.send_wire(wire)
        producer.flush()

        assert producer._producer is not first
        assert (producer.delivered, producer.failed) == (producer.sent, 0)
    parts.check(traffic.sent)


class Burst(threading.Thread):
    """Hands records over, so many a second as it is told, as far as the producer takes them."""

    def __init__(self, parts: Parts, traffic: Traffic, seconds: float) -> None:
        super().__init__(daemon=True)
        self.producer = EventProducer(parts.broker, held_bytes=HELD_BYTES)
        self._traffic, self._seconds = traffic, seconds
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with self.producer:
                self._at(USUAL_PER_SECOND, 2.0)
                self._at(BURST_PER_SECOND, self._seconds)
        except BaseException as error:  # shown by the test
            self.error = error

    def _at(self, per_second: int, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            started = time.monotonic()
            for wire in self._traffic.records(per_second // 10):
                self.producer.send_wire(wire)
            time.sleep(max(0.0, started + 0.1 - time.monotonic()))


def test_a_burst_of_fifty_times_the_usual(
    parts: Parts, traffic: Traffic, request: pytest.FixtureRequest, figures: Callable[[str], None]
) -> None:
    """In its middle the broker takes nothing: then the producer takes no more than it may hold, and nobody's memory grows."""
    traffic.send()
    parts.settle()
    burst = Burst(parts, traffic, 60.0 if request.config.getoption("--full") else 8.0)
    pid = parts.kafka.pid
    assert pid is not None
    burst.start()
    parts.tend(5.0)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STANDS_STILL_SECONDS / 2)
        before = burst.producer.sent
        time.sleep(STANDS_STILL_SECONDS / 2)
        after = burst.producer.sent
    finally:
        os.kill(pid, signal.SIGCONT)
    most: dict[str, float] = dict.fromkeys(PARTS_MEGABYTES, 0.0)
    while burst.is_alive():
        parts.tend(0.2)
        most = {name: max(before_now, held(parts, name)) for name, before_now in most.items()}
    parts.disturb()

    parts.check(traffic.sent)
    assert burst.error is None, burst.error
    assert after == before, "the producer took records although it held all that it may"
    assert (burst.producer.delivered, burst.producer.failed) == (burst.producer.sent, 0)
    figures(f"{burst.producer.sent:,} records; MB held at most: {most}")
    assert all(most[name] < PARTS_MEGABYTES[name] for name in most), most


def held(parts: Parts, name: str) -> float:
    """Resident megabytes of a part; none while it starts again."""
    try:
        return float(psutil.Process(parts.process(name).pid).memory_info().rss) / 1e6
    except psutil.NoSuchProcess:
        return 0.0
