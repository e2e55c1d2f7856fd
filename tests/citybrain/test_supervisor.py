"""Parts that die are started again with growing pauses, all end together, and none outlives us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from citybrain.children import stop_child
from citybrain.supervisor import FIRST_PAUSE, HEALTHY_AFTER, LONGEST_PAUSE, Part, Supervisor

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


class Clock:
    """A time that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("citybrain.supervisor.time.monotonic", clock.monotonic)
    return clock


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor whose parts are Python programs instead of commands."""
    kept: list[subprocess.Popen[bytes]] = []
    plain = subprocess.Popen

    def run(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        assert command[:3] == [sys.executable, "-m", "citybrain"]
        process: subprocess.Popen[bytes] = plain([sys.executable, *command[3:]], **options)  # type: ignore[call-overload]
        kept.append(process)
        return process

    monkeypatch.setattr("citybrain.supervisor.subprocess.Popen", run)
    yield Supervisor()
    for process in kept:
        process.kill()
        process.wait()


def part(folder: Path, program: str, *, once: bool = False, name: str = "part") -> Part:
    return Part(name, ["-c", program], {"WHO": name}, folder / f"{name}.log", once)


def ended(part_: Part) -> None:
    assert part_.process is not None
    part_.process.wait(20)


class TestRestarts:
    def test_a_dead_part_is_started_again_after_a_pause_that_grows(
        self, tmp_path: Path, parts: Supervisor, clock: Clock
    ) -> None:
        dying = parts.add(part(tmp_path, "raise SystemExit(3)"))
        pauses = []
        for _ in range(10):
            ended(dying)
            parts.look()  # sees it dead
            restarts, began = dying.restarts, clock.now
            while dying.restarts == restarts:
                parts.look()
                clock.now += 0.25
            pauses.append(clock.now - began)

        assert pauses[:3] == pytest.approx([FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE], abs=0.3)
        assert pauses == sorted(pauses)
        assert pauses[-1] == pytest.approx(LONGEST_PAUSE, abs=0.3)

    def test_a_part_that_was_well_for_a_while_starts_with_the_first_pause_again(
        self, tmp_path: Path, parts: Supervisor, clock: Clock
    ) -> None:
        dying = parts.add(part(tmp_path, "raise SystemExit(3)"))
        dying.restarts = 5
        ended(dying)
        clock.now += HEALTHY_AFTER + 1
        parts.look()
        clock.now += FIRST_PAUSE
        parts.look()

        assert dying.restarts == 1

    def test_a_living_part_is_left_alone(self, tmp_path: Path, parts: Supervisor) -> None:
        well = parts.add(part(tmp_path, "import time; time.sleep(60)"))
        before = well.process
        for _ in range(5):
            parts.look()

        assert well.process is before
        assert well.running

    def test_a_part_that_is_to_run_once_stays_ended(self, tmp_path: Path, parts: Supervisor, clock: Clock) -> None:
        done = parts.add(part(tmp_path, "pass", once=True))
        ended(done)
        for _ in range(5):
            clock.now += LONGEST_PAUSE
            parts.look()

        assert not done.running
        assert done.restarts == 0

    def test_one_dead_part_does_not_touch_the_others(self, tmp_path: Path, parts: Supervisor, clock: Clock) -> None:
        well = parts.add(part(tmp_path, "import time; time.sleep(60)", name="well"))
        dying = parts.add(part(tmp_path, "pass", name="dying"))
        before = well.process
        ended(dying)
        parts.look()
        clock.now += FIRST_PAUSE
        parts.look()

        assert dying.restarts == 1
        assert well.process is before

    def test_its_log_goes_on_in_one_file_and_its_environment_is_set(
        self, tmp_path: Path, parts: Supervisor, clock: Clock
    ) -> None:
        dying = parts.add(part(tmp_path, "import os; print(os.environ['WHO'], os.environ['PATH'] != '')"))
        ended(dying)
        parts.look()
        clock.now += FIRST_PAUSE
        parts.look()
        ended(dying)

        assert dying.log_file.read_text() == "part True\npart True\n"


class TestStop:
    def test_all_end_even_one_that_ignores_sigterm(self, tmp_path: Path, parts: Supervisor) -> None:
        polite = parts.add(part(tmp_path, "import time; time.sleep(60)", name="polite"))
        deaf = parts.add(part(tmp_path, DEAF, name="deaf"))
        gone = parts.add(part(tmp_path, "pass", name="gone"))
        processes = [p.process for p in (polite, deaf, gone)]
        _wait_for(deaf.log_file, "deaf")
        ended(gone)
        started = time.monotonic()

        parts.stop(1.0)

        assert time.monotonic() - started < 10
        assert parts.parts == []
        assert [process.poll() for process in processes if process] == [-15, -9, 0]

    def test_stopping_one_child_is_polite_first(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()

        assert stop_child(child, 0.2) == -9
        assert stop_child(child, 0.2) == -9, "one that has ended already just tells its code"
        child.stdout.close()


class TestNobodyOutlivesUs:
    def test_children_end_when_their_parent_is_killed(self, tmp_path: Path) -> None:
        """Kill -9 leaves the parent no moment to say anything: the kernel ends its parts."""
        program = f"""
import os, sys, time
from pathlib import Path
from citybrain.supervisor import Part, Supervisor
import citybrain.supervisor as module
plain = module.subprocess.Popen
module.subprocess.Popen = lambda command, **options: plain([sys.executable, *command[3:]], **options)
parts = Supervisor()
folder = Path({str(tmp_path)!r})
made = [parts.add(Part(n, ["-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"], {{}}, folder / n)) for n in "ab"]
print(*[part.process.pid for part in made], flush=True)
time.sleep(60)
"""
        parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        assert all(psutil.pid_exists(pid) for pid in children)

        parent.kill()
        parent.wait()
        parent.stdout.close()

        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and any(_lives(pid) for pid in children):
            time.sleep(0.05)
        assert not any(_lives(pid) for pid in children)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and pid != os.getpid()
    except psutil.NoSuchProcess:
        return False


def _wait_for(file: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and text not in file.read_text():
        time.sleep(0.02)
    assert text in file.read_text()
