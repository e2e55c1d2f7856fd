"""Parts as child processes: started, started again with growing pauses when they die, stopped together."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from citybrain.children import tied_to_parent
from schemas import metrics

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0
"""A part that ran this long is well: its next pause is the first one again, seconds."""


@dataclass(slots=True)
class Part:
    """One child: `arguments` of the citybrain command. `once`: it is expected to end."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    log_file: Path
    once: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    next_start: float = 0.0
    output: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start the child; its log is appended to `log_file`."""
        with self.log_file.open("ab") as log_:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "citybrain", *self.arguments],
                env={**os.environ, **self.environment},
                stdout=log_,
                stderr=log_,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
            )
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps parts alive. Call `look` every now and then."""

    def __init__(self) -> None:
        self.parts: list[Part] = []

    def add(self, part: Part) -> Part:
        """Start a part and keep it."""
        part.start()
        metrics.RESTARTS.labels(part.name).inc(0)
        self.parts.append(part)
        return part

    def look(self) -> None:
        """Start dead parts again once their pause is over."""
        now = time.monotonic()
        for part in self.parts:
            if not part.once:
                metrics.PART_UP.labels(part.name).set(part.running)
            if part.once or part.running:
                continue
            if not part.next_start:
                code = part.process.returncode if part.process else None
                part.restarts = 0 if now - part.started > HEALTHY_AFTER else part.restarts
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**part.restarts)
                log.warning(
                    "%s ended with code %s; starting it again in %.1f s (log: %s)", part.name, code, pause, part.log_file
                )
                part.next_start = now + pause
            elif now >= part.next_start:
                part.restarts += 1
                part.next_start = 0.0
                metrics.RESTARTS.labels(part.name).inc()
                part.start()

    def stop(self, seconds: float = 8.0) -> None:
        """SIGTERM to all at once, SIGKILL to those that are left after `seconds`."""
        for part in self.parts:
            if part.process and part.running:
                part.process.terminate()
        deadline = time.monotonic() + seconds
        for part in self.parts:
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.05, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop in %.0f s; ending it", part.name, seconds)
                part.process.kill()
                part.process.wait()
        self.parts.clear()
