"""Replay: order, pace, and going on after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from ingest.mapping import Mapping
from ingest.outgoing import Outgoing
from ingest.replay import FLUSH_EVENTS, Clock, delay, replay
from schemas.errors import BadMapping
from tests.pipeline import Pipeline

MAPPING = Mapping.model_validate({
    "about": "calls", "kind": "police", "source": "urn:test:replay", "time_zone": "UTC",
    "at": {"columns": ["when"], "zone": "UTC"}, "fields": {"code": "type"},
})  # fmt: skip
START = datetime(2024, 1, 1, tzinfo=UTC)


class Recorder:
    """A producer that keeps what it is given; deliveries fail from event `breaks_at` on."""

    def __init__(self, breaks_at: int | None = None, clock: FakeClock | None = None) -> None:
        self.events: list[Outgoing] = []
        self.sent = self.delivered = self.failed = 0
        self.seconds: list[float] = []
        self._breaks_at, self._clock = breaks_at, clock

    def send(self, event: Outgoing) -> None:
        self.events.append(event)
        self.sent += 1
        if self._clock:
            self.seconds.append(self._clock.time)

    def flush(self) -> None:
        good = self.sent if self._breaks_at is None else min(self.sent, self._breaks_at)
        self.delivered, self.failed = good, self.sent - good


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep)


def calls(path: Path, seconds: list[int]) -> Path:
    """A CSV file with one call at each second."""
    rows = [f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S},c{second}" for second in seconds]
    path.write_text("\n".join(["when,type", *rows, ""]), encoding="utf-8")
    return path


def test_at_once_rows_go_in_file_order(tmp_path: Path) -> None:
    recorder = Recorder()

    report = replay([calls(tmp_path / "b.csv", [9, 3]), calls(tmp_path / "a.csv", [5])], MAPPING, recorder)

    assert [event.id for event in recorder.events] == ["b.csv#1", "b.csv#2", "a.csv#1"]
    assert (report.sent, report.delivered, report.failed) == (3, 3, 0)
    assert (report.first_at, report.last_at) == (START + timedelta(seconds=3), START + timedelta(seconds=9))
    assert report.unmapped == {"c9": 1, "c3": 1, "c5": 1}


@pytest.mark.parametrize(("speed", "waits"), [(1, [0, 4, 10]), (2, [0, 2, 5]), (3600, [0, 4 / 3600, 10 / 3600])])
def test_at_a_pace_events_go_in_the_order_of_their_times(tmp_path: Path, speed: float, waits: list[float]) -> None:
    """Over all files: 3 s, 7 s, 13 s go 0, 4 and 10 seconds after the start, or N times as fast."""
    clock = FakeClock()
    recorder = Recorder(clock=clock)
    files = [calls(tmp_path / "b.csv", [13, 3]), calls(tmp_path / "a.csv", [7])]

    replay(files, MAPPING, recorder, speed=speed, clock=clock.clock)

    assert [event.id for event in recorder.events] == ["b.csv#2", "a.csv#1", "b.csv#1"]
    assert [second - 100 for second in recorder.seconds] == pytest.approx(waits)


def test_an_event_that_is_late_is_due_at_once() -> None:
    assert delay(START + timedelta(seconds=10), START, elapsed=4, speed=1) == 6
    assert delay(START + timedelta(seconds=10), START, elapsed=40, speed=1) < 0


@pytest.mark.parametrize("speed", [0.0, 1e9])
def test_a_second_run_goes_on_where_the_first_ended(tmp_path: Path, speed: float) -> None:
    """In file order and in the order of times alike."""
    state = tmp_path / "state"
    first, second = Recorder(), Recorder()
    path = calls(tmp_path / "a.csv", [5, 1, 4])
    replay([path], MAPPING, first, speed=speed, resume=state)
    calls(path, [5, 1, 4, 8, 7])  # the file grew at its end

    report = replay([path], MAPPING, second, speed=speed, resume=state)

    assert {event.id for event in second.events} == {"a.csv#4", "a.csv#5"}
    assert sum(report.unmapped.values()) == 2 if not speed else 5


def test_a_failed_delivery_ends_the_replay_and_is_not_noted_as_done(tmp_path: Path) -> None:
    """The next run sends it again: the state stands at the last flush without a failure."""
    state = tmp_path / "state"
    path = calls(tmp_path / "a.csv", list(range(FLUSH_EVENTS * 2 + 10)))
    broken, whole = Recorder(breaks_at=FLUSH_EVENTS + 5), Recorder()

    report = replay([path], MAPPING, broken, resume=state)

    assert report.failed == FLUSH_EVENTS - 5
    assert report.sent == FLUSH_EVENTS * 2
    assert orjson.loads(state.read_bytes()) == {"order": "file", "delivered": {"a.csv": FLUSH_EVENTS}}
    assert replay([path], MAPPING, whole, resume=state).failed == 0
    assert {event.id for event in broken.events[:FLUSH_EVENTS] + whole.events} == {
        f"a.csv#{i + 1}" for i in range(FLUSH_EVENTS * 2 + 10)
    }


def test_progress_tells_how_many_events_went(tmp_path: Path) -> None:
    seen: list[int] = []

    replay([calls(tmp_path / "a.csv", list(range(FLUSH_EVENTS + 1)))], MAPPING, Recorder(), progress=seen.append)

    assert seen == [FLUSH_EVENTS, FLUSH_EVENTS + 1]


@pytest.mark.parametrize("content", ["{", "[]", '{"order": "file"}', '{"order": "file", "delivered": {"a": "x"}}'])
def test_a_broken_state_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "state").write_text(content, encoding="utf-8")

    with pytest.raises(BadMapping, match=r"state file .*state: .*delete it to start over"):
        replay([calls(tmp_path / "a.csv", [1])], MAPPING, Recorder(), resume=tmp_path / "state")


def test_a_state_of_the_other_order_is_refused(tmp_path: Path) -> None:
    path = calls(tmp_path / "a.csv", [1])
    replay([path], MAPPING, Recorder(), resume=tmp_path / "state")

    with pytest.raises(BadMapping, match="written in file order, this replay goes in time order"):
        replay([path], MAPPING, Recorder(), speed=1e9, resume=tmp_path / "state")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their rows would share ids, and the second file would be dropped as repeats."""
    (tmp_path / "other").mkdir()

    with pytest.raises(BadMapping, match=r"files \['a.csv'\] are given twice"):
        replay([calls(tmp_path / "a.csv", [1]), calls(tmp_path / "other" / "a.csv", [2])], MAPPING, Recorder())


def test_a_replay_killed_in_the_middle_and_started_again_counts_every_row_once(pipeline: Pipeline, tmp_path: Path) -> None:
    """Kill -9 after the first note; the second run starts there, and what was under way is dropped as repeats."""
    rows = 60_000
    path = calls(tmp_path / "calls.csv", list(range(rows)))
    (tmp_path / "mapping.yaml").write_bytes(orjson.dumps(MAPPING.model_dump(mode="json", exclude_defaults=True)))
    state = tmp_path / "calls.state"
    command = [
        sys.executable, "-m", "citybrain", "replay", str(path), "--mapping", str(tmp_path / "mapping.yaml"), "--resume", str(state),
        "--json",
    ]  # fmt: skip
    environment = os.environ | {"CITYBRAIN_BROKER__BOOTSTRAP": pipeline.broker.bootstrap}

    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 60
        while not state.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        first.kill()
    noted = orjson.loads(state.read_bytes())["delivered"]["calls.csv"]
    second = orjson.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    pipeline.settle()

    assert 0 < noted < rows
    assert (second["delivered"], second["failed"]) == (rows - noted, 0)
    stored = pipeline.rows("SELECT count() AS n, uniqExact(id) AS ids FROM events WHERE source = 'urn:test:replay'")
    assert [{name: int(value) for name, value in row.items()} for row in stored] == [{"n": rows, "ids": rows}]
    assert pipeline.audit().clean
