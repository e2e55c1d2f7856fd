"""Loaders and workers join, leave, and come back from the dead with what they held."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

BEYOND_SESSION = 9.0
"""Seconds; a session is six."""


@pytest.fixture(autouse=True)
def working(parts: Parts) -> Iterator[None]:
    """A worker and a loader; others that a test started are gone after it."""
    parts.want("work-1", "load-1")
    yield
    for name in set(parts.wanted) - {"store", "work-1", "load-1"}:
        parts.end(name)


def test_loaders_and_workers_come_and_go(parts: Parts, traffic: Traffic, draw: random.Random) -> None:
    others: list[str] = []
    for number in range(2, 6):
        kind = draw.choice(["load", "work"])
        traffic.send()
        parts.want(f"{kind}-{number}")
        others.append(f"{kind}-{number}")
        parts.tend(draw.uniform(2.0, 5.0))
        if draw.random() < 0.5:
            parts.end(others.pop(draw.randrange(len(others))))

    parts.check(traffic.sent)


@pytest.mark.parametrize("kind", ["load", "work"])
def test_a_zombie_wakes_after_its_session(parts: Parts, traffic: Traffic, kind: str) -> None:
    """It is stopped with records in hand; another stores them meanwhile; what it still does changes nothing."""
    parts.proxy.delay_seconds = 0.02  # so that work is in hand
    traffic.send()
    parts.tend(2.0)
    parts.pause(f"{kind}-1")
    parts.want(f"{kind}-2")
    traffic.send()
    parts.tend(BEYOND_SESSION)
    parts.wake(f"{kind}-1")
    traffic.send()
    parts.proxy.heal()

    parts.check(traffic.sent)
    parts.tend(2.0)
    parts.check(traffic.sent)


def test_told_to_stop_in_the_middle_a_part_ends_well(parts: Parts, traffic: Traffic) -> None:
    """SIGTERM: what is in hand is finished or left to the next; the exit code says well."""
    traffic.send()
    parts.settle()  # both have started, and listen to signals
    traffic.send(1_500)
    parts.tend(1.0)
    codes = [parts.end("work-1"), parts.end("load-1")]
    parts.want("work-1", "load-1")

    parts.check(traffic.sent)
    assert codes == [0, 0]
