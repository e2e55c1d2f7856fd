"""People ask more than the machine can answer, while events come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from citybrain.query_socket import AT_ONCE
from schemas.errors import CitybrainError
from schemas.kafka_options import LOADER_GROUP
from tests.faults.conftest import Traffic
from tests.faults.parts import Parts
from tests.life import admin_of

HEAVY = "SELECT sum(cityHash64(number, toString(number))) FROM numbers(150000000)"
"""A matter of half a minute for one thread."""
ASKING_SECONDS, SHORT_ASKING_SECONDS = 20.0, 8.0
STORED_WITHIN_SECONDS = 15.0
"""A batch, while the machine has no time left; without queries it takes about two."""


@contextmanager
def asked_without_end(parts: Parts, clients: int) -> Iterator[None]:
    """So many clients ask a heavy question, again and again."""
    over = threading.Event()

    def one() -> None:
        while not over.is_set():
            try:
                parts.query(HEAVY, "TSV")
            except CitybrainError:  # it took too long, or had to wait too long for its turn
                over.wait(0.2)

    asking = [threading.Thread(target=one, daemon=True) for _ in range(clients)]
    for thread in asking:
        thread.start()
    try:
        yield
    finally:
        over.set()


def test_queries_take_all_the_time_of_the_machine(
    parts: Parts, traffic: Traffic, request: pytest.FixtureRequest, figures: Callable[[str], None]
) -> None:
    """Three times as many as may run at once: loading goes on, batch by batch, and what is asked cannot take more than its share."""
    parts.want("work-1", "load-1")
    traffic.send()
    parts.check(traffic.sent)
    took: list[float] = []
    with asked_without_end(parts, 3 * AT_ONCE):
        until = time.monotonic() + (ASKING_SECONDS if request.config.getoption("--full") else SHORT_ASKING_SECONDS)
        while time.monotonic() < until or len(took) < 3:
            started = time.monotonic()
            blocks = stored(parts)
            traffic.send()
            while stored(parts) == blocks:
                assert time.monotonic() - started < STORED_WITHIN_SECONDS, "nothing is stored while people ask"
                parts.tend(0.1)
            took.append(time.monotonic() - started)
    parts.disturb()

    figures(f"{len(took)} batches beside {3 * AT_ONCE} clients; the slowest was stored after {max(took):.1f} s")
    parts.check(traffic.sent)


def stored(parts: Parts) -> int:
    """Blocks that the loader says it has stored: asked of Kafka, for questions to the store have to wait in line."""
    with admin_of(parts.broker) as admin:
        return sum(known.offset for known in admin.list_group_offsets([LOADER_GROUP])[LOADER_GROUP].values())
