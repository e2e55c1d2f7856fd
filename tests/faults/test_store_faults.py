"""The way to the store breaks: cuts, lost answers, errors of ClickHouse, silence, a store killed at work."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Traffic
from tests.faults.parts import Parts

INSERT = b"INSERT+INTO+%60events%60"


@pytest.fixture(autouse=True)
def working(parts: Parts) -> Iterator[None]:
    """A worker and a loader; no fault is left for the next test."""
    parts.want("work-1", "load-1")
    parts.proxy.cuts = 0
    yield
    parts.proxy.heal()


def test_the_answer_to_an_insert_is_lost(parts: Parts, traffic: Traffic) -> None:
    """The server has the block, the loader does not know: it sends the block again under its token."""
    parts.proxy.swallow_answer_to(INSERT)
    traffic.send()
    parts.check(traffic.sent)

    assert parts.proxy.cuts == 1


def test_connections_are_cut_after_some_bytes(parts: Parts, traffic: Traffic, draw: random.Random) -> None:
    for _ in range(4):
        parts.proxy.cut_after(draw.randint(1, 60_000))
        traffic.send(100)
        parts.settle()

    assert parts.proxy.cuts >= 1
    parts.check(traffic.sent)


@pytest.mark.parametrize("code", [252, 241, 159])
def test_clickhouse_is_busy_for_a_while(parts: Parts, traffic: Traffic, code: int) -> None:
    """Same block, same token, growing pauses."""
    parts.proxy.answer_with(code, INSERT)
    traffic.send(100)
    while parts.proxy.cuts < 3:
        parts.tend(0.2)
    parts.proxy.heal()

    parts.check(traffic.sent)


@pytest.mark.parametrize("code", [516, 60, 16])
def test_clickhouse_refuses_for_ever(parts: Parts, traffic: Traffic, code: int) -> None:
    """Stop loudly, do not loop, do not drop; after the fix and a restart all is there."""
    log = parts.folder / "load-1.log"
    before = log.read_text().count("stops at offset")
    parts.proxy.answer_with(code, INSERT)
    traffic.send(100)
    while log.read_text().count("stops at offset") == before:
        parts.tend(0.2)
    parts.tend(3.0)
    tries = parts.proxy.cuts
    parts.tend(3.0)
    assert parts.proxy.cuts == tries <= 4, "once for each partition, not in a loop"

    parts.proxy.heal()
    parts.end("load-1")
    parts.want("load-1")
    parts.check(traffic.sent)


def test_the_store_is_silent_and_then_gone(parts: Parts, traffic: Traffic) -> None:
    """Half open: nothing is carried and nothing refused for some seconds, then the connections are reset."""
    parts.proxy.half_open = True
    traffic.send(100)
    parts.tend(12.0)
    parts.proxy.heal()

    parts.check(traffic.sent)


def test_the_store_is_killed_while_it_stores(parts: Parts, traffic: Traffic, draw: random.Random) -> None:
    for _ in range(3):
        parts.proxy.delay_seconds = 0.02
        traffic.send(400)
        parts.tend(draw.uniform(0.0, 1.5))
        parts.kill("store")
        parts.wait_for_store()
    parts.proxy.heal()

    parts.check(traffic.sent)
