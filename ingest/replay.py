"""Files into Kafka: as fast as possible, or at the pace of their own times; resumable.

As fast as possible, rows go in file order. At a pace they go in the order of their times, over all files; then the events of
all files are held in memory. The state file says how many events of each file are delivered. It is written after a
flush only, so a replay that is killed sends its last few thousand events again, and their ids show them as repeats.
"""

from __future__ import annotations

import heapq
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol

import orjson

from ingest.events_of import Counts, numbered_events
from ingest.mapping import ROW, Mapping
from ingest.outgoing import Outgoing
from schemas.errors import BadMapping

FLUSH_EVENTS: Final = 10_000
FLUSH_SECONDS: Final = 1.0
Order = Literal["file", "time"]


class Sender(Protocol):
    """What a replay needs of a producer (`ingest.producer.EventProducer`)."""

    sent: int
    delivered: int
    failed: int

    def send(self, event: Outgoing) -> None:
        """Hand one event over."""

    def flush(self) -> None:
        """Wait until everything handed over is delivered or has failed."""


class Clock(NamedTuple):
    """Seconds that only go forward, and a way to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class ReplayReport:
    """What one replay did. `first_at` and `last_at` are the earliest and latest event times; counts as in `Counts`."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    altered: dict[str, int] = field(default_factory=dict)
    unmapped: dict[str, int] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None


class Step(NamedTuple):
    """An event, the file it is of, and its place in that file's order (state counts up to here)."""

    file: str
    position: int
    event: Outgoing


def replay(
    paths: Sequence[Path],
    mapping: Mapping,
    producer: Sender,
    *,
    speed: float = 0.0,
    resume: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
    clock: Clock = Clock(),  # noqa: B008 - it has no state
) -> ReplayReport:
    """Send the events of all files; `speed` 0 at once, 1 at their own pace, N times as fast. `progress` gets events sent so far.

    Stops at the first flush with a failed delivery: the state then ends before it, and the next run goes on there.
    BadMapping when a file is not what the mapping says; BrokerUnavailable when Kafka stays away.
    """
    _check_names(paths, mapping)
    order: Order = "time" if speed else "file"
    state = _State.read(resume, order)
    before = (producer.sent, producer.delivered, producer.failed)
    counts = Counts()
    report = ReplayReport()
    started = flushed = clock.now()
    first: datetime | None = None
    unflushed = 0

    def settle() -> bool:
        """Wait for what was sent, note it; false when a delivery failed."""
        producer.flush()
        if producer.failed > before[2]:
            return False
        state.write()
        progress(producer.sent - before[0])
        return True

    for step in _steps(paths, mapping, counts, state.done, order):
        at = step.event.at
        first = first or at
        if speed and (wait := delay(at, first, clock.now() - started, speed)) > 0:
            clock.sleep(wait)
        producer.send(step.event)
        state.done[step.file] = step.position
        report.first_at, report.last_at = min(report.first_at or at, at), max(report.last_at or at, at)
        unflushed += 1
        if unflushed >= FLUSH_EVENTS or (speed and clock.now() - flushed > FLUSH_SECONDS):
            if not settle():
                break
            unflushed, flushed = 0, clock.now()
    else:
        settle()
    report.sent, report.delivered, report.failed = (
        now - then for now, then in zip((producer.sent, producer.delivered, producer.failed), before, strict=True)
    )
    report.left_out, report.altered, report.unmapped = dict(counts.left_out), dict(counts.altered), dict(counts.unmapped)
    return report


def delay(at: datetime, first: datetime, elapsed: float, speed: float) -> float:
    """Seconds until an event is due that happened at `at`, when the first one was sent `elapsed` seconds ago."""
    return (at - first).total_seconds() / speed - elapsed


def _steps(paths: Sequence[Path], mapping: Mapping, counts: Counts, done: dict[str, int], order: Order) -> Iterator[Step]:
    """What is still to be sent."""
    if order == "file":
        for path in paths:
            for row, event in numbered_events(mapping, path, counts, after=done.get(path.name, 0)):
                yield Step(path.name, row, event)
        return
    lanes = [_in_time_order(path, mapping, counts, done.get(path.name, 0)) for path in paths]
    yield from heapq.merge(*lanes, key=lambda step: step.event.at)


def _in_time_order(path: Path, mapping: Mapping, counts: Counts, done: int) -> list[Step]:
    events = sorted((event for _, event in numbered_events(mapping, path, counts)), key=lambda event: event.at)
    return [Step(path.name, position, event) for position, event in enumerate(events, 1) if position > done]


def _check_names(paths: Sequence[Path], mapping: Mapping) -> None:
    names = [path.name for path in paths]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = "their rows would share ids" if mapping.id == ROW else "the state file could not tell them apart"
        raise BadMapping(f"files {twice} are given twice: {what}; wanted each file name once")


@dataclass(slots=True)
class _State:
    """Events (or rows, in file order) delivered, by file name."""

    path: Path | None
    order: Order
    done: dict[str, int]

    @classmethod
    def read(cls, path: Path | None, order: Order) -> _State:
        if path is None or not path.exists():
            return cls(path, order, {})
        try:
            document = orjson.loads(path.read_bytes())
            found, done = document["order"], {str(name): int(row) for name, row in document["delivered"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadMapping(
                f"state file {path}: {error!r}; wanted what an earlier replay wrote; delete it to start over"
            ) from error
        if found != order:
            raise BadMapping(
                f"state file {path}: written in {found} order, this replay goes in {order} order; use the speed of before"
            )
        return cls(path, order, done)

    def write(self) -> None:
        """All or nothing: a crash leaves the old state or the new one."""
        if self.path is None:
            return
        beside = self.path.with_name(f"{self.path.name}.new")
        with beside.open("wb") as file:
            file.write(orjson.dumps({"order": self.order, "delivered": self.done}))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
