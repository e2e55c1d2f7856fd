"""`citybrain demo` on a terminal of its own, as a person runs it: what it prints, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import psutil

ADDRESS = re.compile(r"the page\s+(http://\S+)")


class DemoInTerminal:
    """One run. Its terminal is its controlling one, so that Ctrl-C is a key and not a signal of ours."""

    def __init__(self, *arguments: str) -> None:
        self._here, there = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYBRAIN_")}
        # A shell may have started us with Ctrl-C switched off; a terminal does not.
        program = ["env", "--default-signal=INT", "setsid", "--ctty", sys.executable, "-m", "citybrain", "demo", *arguments]
        self.process = subprocess.Popen(program, stdin=there, stdout=there, stderr=there, env=environment)
        os.close(there)
        self._printed = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.children: list[psutil.Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        self.process.kill()
        self.process.wait()
        self._reader.join(10)
        os.close(self._here)

    @property
    def printed(self) -> str:
        """All that was printed until now."""
        return self._printed.decode(errors="replace")

    def page(self, seconds: float) -> str:
        """The printed address of the page, with its token behind #. AssertionError: none came."""
        deadline = time.monotonic() + seconds
        while not (found := ADDRESS.search(self.printed)) or "Ctrl-C" not in self.printed:
            assert self.process.poll() is None, self.printed[-2000:]
            assert time.monotonic() < deadline, self.printed[-2000:]
            time.sleep(0.2)
        self.children = psutil.Process(self.process.pid).children(recursive=True)
        return found[1]

    def ctrl_c(self) -> float:
        """Press the keys; seconds until it and all its children are gone."""
        started = time.monotonic()
        os.write(self._here, b"\x03")
        self.process.wait(60)
        _, alive = psutil.wait_procs(self.children, 30)
        assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
        return time.monotonic() - started

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed
            while piece := os.read(self._here, 65_536):
                self._printed += piece
