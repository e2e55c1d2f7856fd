"""The broker is killed, stopped for a while, and a raw topic begins a new life."""

from __future__ import annotations

import os
import signal

import pytest

from ingest.producer import EventProducer
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts


@pytest.fixture(autouse=True)
def working(parts: Parts) -> None:
    """A worker and a loader."""
    parts.want("work-1", "load-1")


def test_the_broker_is_killed_and_comes_back(parts: Parts, traffic: Traffic) -> None:
    """No hand is needed: parts wait or end and are started again."""
    traffic.send(600)
    parts.kafka.kill()
    parts.tend(8.0)
    parts.kafka.start()
    parts.disturb()
    traffic.send()

    parts.check(traffic.sent)


def test_the_broker_stands_still_while_records_come(parts: Parts, traffic: Traffic) -> None:
    """The producer knew the broker before: its records wait in its memory."""
    pid = parts.kafka.pid
    assert pid is not None
    records = traffic.records(600)
    with EventProducer(parts.broker) as producer:
        for wire in records[:300]:
            producer.send_wire(wire)
        os.kill(pid, signal.SIGSTOP)
        try:
            for wire in records[300:]:
                producer.send_wire(wire)
            parts.tend(15.0)
        finally:
            os.kill(pid, signal.SIGCONT)
            parts.disturb()

    parts.check(traffic.sent)
