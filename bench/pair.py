"""Worker and loader as processes of their own, over a filled broker: started, waited for, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from bench.filled import PATIENCE_SECONDS, BenchFailed
from bench.traffic import SEED
from citybrain.children import stop_child, tied_to_parent
from citybrain.owner_socket import listens
from citybrain.places_file import write_places
from citybrain.query_socket import ask
from citybrain.reading import SOCKET
from ingest.city import build_city
from schemas.kafka_options import Broker
from schemas.topics import RISK

LOOK_SECONDS: Final = 0.5
STALLED_SECONDS: Final = 120.0
DONE = "SELECT toInt64(sum(stored + rejected + repeated + conflict + redelivered)) AS n FROM blocks"

Look = Callable[[int, Callable[[], dict[str, int]]], None]


def nobody(_: int, __: Callable[[], dict[str, int]]) -> None:
    """Nobody looks."""


class Pair:
    """One loader and some workers in `folder`, whose store is new. `first` is when the first record was in hand."""

    def __init__(self, broker: Broker, folder: Path, workers: int = 1, broker_pid: int | None = None) -> None:
        self._broker, self._folder, self._workers = broker, folder.absolute(), workers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._broker_pid = broker_pid
        self.group = f"bench-{os.urandom(4).hex()}"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        write_places(self._places, build_city(SEED).places)
        try:
            self._start_loader()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            stop_child(process, 10.0)

    @property
    def pids(self) -> dict[str, int]:
        """Process of each part."""
        return {name: process.pid for name, process in self._processes.items()}

    def start_workers(self) -> None:
        """Begin; the raw topics are full already."""
        for number in range(self._workers):
            name = f"worker-{number + 1}"
            arguments = ["--broker", self._broker.bootstrap, "--places", str(self._places), "--group", self.group]
            arguments += ["--instance", name, "--first", str(self._folder / f"{name}.first")]
            self._start(name, ["bench.worker", *arguments], {})

    def wait_for_first(self) -> None:
        """Until a worker has records in hand: what was spent before is starting, not working."""
        deadline = time.monotonic() + STALLED_SECONDS
        while not any(self._firsts()):
            self._check()
            if time.monotonic() > deadline:
                message = f"no worker had a record in hand after {STALLED_SECONDS:.0f} s; see {self._folder}"
                raise BenchFailed(message)
            time.sleep(0.02)

    def wait(self, records: int, look: Look = nobody) -> None:
        """Until the ledger accounts for so many records. BenchFailed when a part ended or nothing moves for two minutes.

        `look` gets the records stored and the memory of each part, every now and then.
        """
        last, moved = -1, time.monotonic()
        while (done := self.ask(DONE)["n"]) < records:
            self._check()
            look(done, self.memory_mib)
            if done != last:
                last, moved = done, time.monotonic()
            if time.monotonic() - moved > STALLED_SECONDS:
                message = (
                    f"{done:,} of {records:,} records stored, and nothing moved for {STALLED_SECONDS:.0f} s; see {self._folder}"
                )
                raise BenchFailed(message)
            time.sleep(LOOK_SECONDS)

    @property
    def first(self) -> float:
        """Seconds since 1970 when the first worker had its first records in hand."""
        return min(float(text) for text in self._firsts() if text)

    def ask(self, sql: str) -> dict[str, Any]:
        """One row from the store."""
        found: dict[str, Any] = json.loads(self.query(sql, "JSONEachRow"))
        return found

    def query(self, sql: str, fmt: str) -> bytes:
        """Ask the loader, in a format of ClickHouse."""
        return ask(self._folder / SOCKET, sql, fmt)

    def cpu(self) -> dict[str, float]:
        """Processor seconds of each part and of the broker since it started."""
        pids = self.pids | ({"broker": self._broker_pid} if self._broker_pid else {})
        return {name: sum(psutil.Process(pid).cpu_times()[:2]) for name, pid in pids.items()}

    def memory_mib(self) -> dict[str, int]:
        """Resident memory of each part."""
        return {name: psutil.Process(pid).memory_info().rss >> 20 for name, pid in self.pids.items()}

    @property
    def _places(self) -> Path:
        return self._folder / "places.geojson"

    def _firsts(self) -> list[str]:
        return [found.read_text(encoding="utf-8") for found in self._folder.glob("*.first")]

    def _start_loader(self) -> None:
        environment = {
            "CITYBRAIN_BROKER__BOOTSTRAP": self._broker.bootstrap,
            "CITYBRAIN_DATA_DIR": str(self._folder),
            "CITYBRAIN_CITY__PLACES": str(self._places),
        }
        self._start("loader", ["citybrain", "load"], environment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (listens(self._folder / SOCKET) and self._loader_has_joined()):
            self._check()
            if time.monotonic() > deadline:
                message = f"the loader has no partitions after {PATIENCE_SECONDS:.0f} s; see {self._folder / 'loader.log'}"
                raise BenchFailed(message)
            time.sleep(0.2)

    def _loader_has_joined(self) -> bool:
        log = self._folder / "loader.log"
        return f"storing {RISK.name}[".encode() in log.read_bytes()

    def _start(self, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=tied_to_parent,  # noqa: PLW1509 - the child runs one system call before its program
            )

    def _check(self) -> None:
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                log = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                message = f"{name} ended with code {code}: {log[-4_000:]}"
                raise BenchFailed(message)
