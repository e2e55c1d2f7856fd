"""Between every two steps of worker and loader the process ends and another starts: the audit sees nothing of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from streams.leaving import LEFT_ON_ERROR
from tests.faults.conftest import Traffic
from tests.faults.crashing import LOADER, WORKER
from tests.faults.parts import Parts

DEATH_SECONDS = 90.0


@pytest.fixture
def beside(parts: Parts, request: pytest.FixtureRequest) -> Iterator[None]:
    """The part that does not die, alone: another one of the dying part's name would take its place and its records."""
    name: str = request.param
    parts.end_all_but_the_store()
    parts.want(name)
    yield
    parts.end_all_but_the_store()


@pytest.mark.parametrize("beside", ["load-1"], indirect=True)
@pytest.mark.parametrize("point", WORKER)
@pytest.mark.usefixtures("beside")
def test_a_worker_dies_at(parts: Parts, traffic: Traffic, point: str) -> None:
    _dies_at(parts, traffic, "work-1", point)


@pytest.mark.parametrize("beside", ["work-1"], indirect=True)
@pytest.mark.parametrize("point", LOADER)
@pytest.mark.usefixtures("beside")
def test_a_loader_dies_at(parts: Parts, traffic: Traffic, point: str) -> None:
    _dies_at(parts, traffic, "load-1", point)


@pytest.mark.parametrize("beside", ["load-1"], indirect=True)
@pytest.mark.usefixtures("beside")
def test_a_worker_fails_on_a_block(parts: Parts, traffic: Traffic) -> None:
    """An error that is no bad record ends the process: going on would acknowledge later records, and with them this block."""
    failing = parts.dying("work-1", "fails")
    traffic.send()

    assert failing.wait(DEATH_SECONDS) == LEFT_ON_ERROR, f"it went on; see {parts.folder / 'work-1.log'}"
    parts.want("work-1")
    parts.check(traffic.sent)


def _dies_at(parts: Parts, traffic: Traffic, name: str, point: str) -> None:
    """The part kills itself at a point and is started again: everything that was sent is there once."""
    traffic.send()
    dying = parts.dying(name, point)

    assert dying.wait(DEATH_SECONDS) == -signal.SIGKILL, f"it never came to {point}; see {parts.folder / f'{name}.log'}"
    parts.want(name)
    parts.check(traffic.sent)
