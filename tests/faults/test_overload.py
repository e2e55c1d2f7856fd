"""Ten times as much comes as the pipeline is let do: it has to stay small, say how far behind it is, lose nothing, and catch up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import psutil
import pytest

from citybrain.children import tied_to_parent
from citybrain.ports import free_port
from ingest.city import City
from tests.faults.parts import Parts

HELD: Final = 2_000
SENT_PER_SECOND: Final = 20_000
SHORT_SECONDS, FULL_SECONDS = 8, 300
LEAST_SENT: Final = 0.95
"""Share of what was to be sent a second: `bench.flood` is cheap enough to keep its rate beside everything else."""
MAKING_SECONDS: Final = 300.0
SETTLING_SECONDS: Final = 5.0
"""A held worker's memory is looked at from here on: imports and the first batches are over."""
CLEARLY: Final = 1.5
"""Times as fast, whatever else the machine does meanwhile."""
MOST_GROWTH: Final = 1.3
WORKER_BYTES: Final = 900_000_000


class Seen(NamedTuple):
    """What the held worker was seen to do while everything was sent. Rates are records a second."""

    sent: int
    sent_rate: float
    held_rate: float
    resident: list[int]
    lags: list[float]
    behind: int
    drain_rate: float
    report: Any
    accounted: int


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Parts]:
    """A deployment of its own: millions of records more would make every later check longer."""
    with Parts(tmp_path_factory.mktemp("overload"), city.places) as running:
        yield running


@pytest.fixture(scope="module")
def seen(parts: Parts, request: pytest.FixtureRequest) -> Seen:
    """Held to HELD, SENT_PER_SECOND sent; then released."""
    seconds = FULL_SECONDS if request.config.getoption("--full") else SHORT_SECONDS
    port = free_port()
    parts.settings["work-1"] = {"CITYBRAIN_WORK__MOST_PER_SECOND": str(HELD), "CITYBRAIN_METRICS__PORT": str(port)}
    parts.want("work-1", "load-1")
    sending = _send(parts, seconds)
    _until_read(port)
    began, first = time.monotonic(), _read(port)
    resident, lags = [], []
    worker = psutil.Process(parts.process("work-1").pid)
    while sending.poll() is None:
        time.sleep(0.5)
        if time.monotonic() - began > min(SETTLING_SECONDS, seconds / 2):
            resident.append(worker.memory_info().rss)
            lags.append(sum(_metric(port, "citybrain_lag_records")))
    told = json.loads(sending.communicate()[0])
    held_rate = (_read(port) - first) / (time.monotonic() - began)
    behind = parts.measure().behind

    parts.end("work-1")
    del parts.settings["work-1"]
    parts.want("work-1")
    while (left := parts.measure().behind) == behind:  # it has to join first
        parts.tend(0.2)
    released = time.monotonic()
    progress = parts.settle(900.0)
    drain_rate = left / max(time.monotonic() - released, 0.1)
    accounted = progress.stored + progress.rejected + progress.repeated
    return Seen(
        told["delivered"],
        told["delivered"] / told["seconds"],
        held_rate,
        resident,
        lags,
        behind,
        drain_rate,
        parts.audit(),
        accounted,
    )


@pytest.mark.timeout(2_400)
def test_nothing_is_lost(seen: Seen) -> None:
    assert seen.report.clean, seen.report
    assert seen.accounted == seen.report.checked == seen.sent


def test_it_was_held_while_more_came(seen: Seen, request: pytest.FixtureRequest, figures: Callable[[str], None]) -> None:
    figures(
        f"{seen.sent:,} sent at {seen.sent_rate:,.0f}/s, held at {seen.held_rate:,.0f}/s, {seen.behind:,} behind, worker "
        f"{min(seen.resident) / 1e6:.0f} to {max(seen.resident) / 1e6:.0f} MB, drained at {seen.drain_rate:,.0f}/s"
    )
    assert seen.held_rate <= HELD * 1.2
    assert seen.sent_rate >= (LEAST_SENT * SENT_PER_SECOND if request.config.getoption("--full") else CLEARLY * HELD)


def test_memory_is_flat(seen: Seen) -> None:
    """Whatever waits: the second half of the time needs no more than the first."""
    half = len(seen.resident) // 2
    assert max(seen.resident) < WORKER_BYTES
    assert max(seen.resident[half:]) < MOST_GROWTH * max(seen.resident[:half])


def test_the_lag_is_seen(seen: Seen) -> None:
    """In the worker's metrics, as growing as it is."""
    assert seen.lags[-1] > seen.lags[0]
    assert seen.behind / 2 < seen.lags[-1] <= seen.sent


def test_released_it_drains_at_full_speed(seen: Seen) -> None:
    assert seen.drain_rate > CLEARLY * HELD


def _send(parts: Parts, seconds: int) -> subprocess.Popen[bytes]:
    """By a process of its own, so that its memory and time are not the test's."""
    asked = {"--broker": parts.kafka.bootstrap, "--rate": SENT_PER_SECOND, "--seconds": seconds}
    return subprocess.Popen(
        [sys.executable, "-m", "bench.flood", *(str(word) for option in asked.items() for word in option)],
        stdout=subprocess.PIPE, preexec_fn=tied_to_parent,  # noqa: PLW1509 - as in citybrain.supervisor
    )  # fmt: skip


def _metric(port: int, name: str) -> list[float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return [float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)]


def _read(port: int) -> float:
    return sum(_metric(port, "citybrain_events_total"))


def _until_read(port: int) -> None:
    """Records are made before the first is sent, so this takes a while."""
    deadline = time.monotonic() + MAKING_SECONDS
    while True:
        assert time.monotonic() < deadline, "the worker read nothing"
        try:
            if _read(port):
                return
        except OSError:
            pass  # it is not serving yet
        time.sleep(0.2)
