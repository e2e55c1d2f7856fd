"""Where the time of running processes goes: py-spy beside them, summed up as text, and the stacks for a flame graph."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

RATE: Final = 200
"""Samples a second of every thread that runs."""
LONGEST_SECONDS: Final = 3_600
LINES: Final = 25


class Hot(NamedTuple):
    """A function and its share (0 to 1) of all samples: alone, and with what it calls."""

    function: str
    alone: float
    whole: float


@contextmanager
def profiled(pids: Mapping[str, int], folder: Path, *, native: bool = False) -> Iterator[None]:
    """Sample the processes until the block ends; stacks of NAME go to folder/NAME.stacks. `native`: C, C++, Rust too, slower."""
    folder.mkdir(parents=True, exist_ok=True)
    spy = Path(sys.executable).with_name("py-spy")
    samplers = []
    for name, pid in pids.items():
        with (folder / f"{name}.py-spy.log").open("wb") as log:
            command = [str(spy), "record", "--pid", str(pid), "--format", "raw", "--rate", str(RATE), "--threads"]
            command += ["--duration", str(LONGEST_SECONDS), "--output", str(folder / f"{name}.stacks")]
            command += ["--native"] if native else ["--nonblocking"]
            samplers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
    try:
        yield
    finally:
        for sampler in samplers:
            sampler.send_signal(signal.SIGINT)  # it writes what it has
        for sampler in samplers:
            sampler.wait(60)


def hottest(stacks: Path, lines: int = LINES) -> list[Hot]:
    """The functions with most samples of their own. Stacks are `thread;outer;inner count`, one a line."""
    alone: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.read_text(encoding="utf-8", errors="replace").splitlines():
        frames, _, count = line.rpartition(" ")
        functions = [_function(frame) for frame in frames.split(";")]
        alone[functions[-1]] += int(count)
        whole.update(dict.fromkeys(functions, int(count)))
    total = max(1, alone.total())
    return [Hot(name, count / total, whole[name] / total) for name, count in alone.most_common(lines)]


def show(folder: Path, names: Iterator[str] | list[str]) -> str:
    """The hottest functions of each process, as text."""
    parts = []
    for name in names:
        rows = [f"  {hot.alone:6.1%} {hot.whole:6.1%}  {hot.function}" for hot in hottest(folder / f"{name}.stacks")]
        parts.append("\n".join([f"{name}: share of samples alone, with what it calls, function", *rows]))
    return "\n".join(parts)


def _function(frame: str) -> str:
    """`work (streams/cook.py:71)` without its line: one function is one row."""
    name, _, place = frame.partition(" (")
    return f"{name} ({place.rpartition(':')[0] or place.rstrip(')')})" if place else name
