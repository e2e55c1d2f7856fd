"""Real parts as processes of their own: Kafka, a store behind HTTP and a fault proxy, workers, loaders. Ended by process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from kafka import TopicPartition

from citybrain.audit import run_audit
from citybrain.audit.raw_log import log_ends
from citybrain.audit.report import AuditReport
from citybrain.children import stop_child, tied_to_parent
from citybrain.local_kafka import LocalKafka
from citybrain.places_file import write_places
from citybrain.ports import free_port
from citybrain.progress import Progress, measure
from citybrain.query_socket import ask
from citybrain.reading import SOCKET, as_arrow
from citybrain.topics import ensure_topics
from ingest.outgoing import Wire
from ingest.producer import HEADERS, EventProducer
from schemas.errors import CitybrainError
from schemas.kafka_options import Broker
from schemas.places import Places
from schemas.topics import RAW
from tests.faults.proxy import FaultProxy
from tests.life import admin_of

WORK = "citybrain-work"
TIME_ZONE = "Asia/Shanghai"
START_SECONDS = 90.0
SETTLE_SECONDS = 180.0
PAUSE_SECONDS = 0.5
"""Between the end of a part and its next start, as a supervisor would wait."""


class Parts:
    """One deployment under fire. What `wanted` names is started again when it dies, while somebody calls `tend`."""

    _open: ClassVar[list[Parts]] = []

    def __init__(self, folder: Path, places: Places) -> None:
        self.folder = folder
        self._places = places
        self.kafka = LocalKafka(folder / "kafka")
        self._store_port = free_port()
        self.proxy = FaultProxy(self._store_port)
        self.wanted: dict[str, list[str]] = {}
        self.settings: dict[str, dict[str, str]] = {}
        """More environment of a part, by its name; in force from its next start."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._died_at: dict[str, float] = {}
        self._closing = ExitStack()
        self._disturbed = self._counted = time.monotonic()
        self.recovered: float | None = None
        """Seconds from the end of the last disturbance until everything sent was stored, at the last check."""

    @property
    def broker(self) -> Broker:
        """The Kafka."""
        return Broker(bootstrap=self.kafka.bootstrap)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_places(self.folder / "places.geojson", self._places)
        self._closing.enter_context(self.kafka)
        ensure_topics(self.broker)
        self._closing.enter_context(self.proxy)
        self._open.append(self)
        self.want("store")
        self.wait_for_store()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in sorted(self._running, reverse=True):  # workers before the store
            self.end(name)
        self._closing.close()
        if self in self._open:
            self._open.remove(self)

    @classmethod
    def end_all(cls) -> None:
        """End every deployment that still runs."""
        for running in list(cls._open):
            running.__exit__(None, None, None)

    def want(self, *names: str, extra: Sequence[str] = ()) -> None:
        """Start parts that do not run yet, by name: store, load-1, load-2, ..., work-1, work-2, ...; with more arguments."""
        for name in names:
            if name in self.wanted:
                continue
            self.disturb()
            command = {
                "store": ["-m", "citybrain", "serve-store", "--port", str(self._store_port)],
                "load": ["-m", "citybrain", "load"],
                "work": ["-m", "citybrain", "work"],
            }[name.partition("-")[0]]
            self.wanted[name] = [*command, *extra]
            self._start(name, self.wanted[name])

    def dying(self, name: str, point: str) -> subprocess.Popen[bytes]:
        """Start a part that kills itself at a crash point (tests.faults.crashing). `want` it afterwards."""
        part = "load" if name.startswith("load") else "work"
        return self._start(name, ["-m", "tests.faults.crashing", point, part])

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """The process of a part that was started."""
        return self._running[name]

    def kill(self, name: str) -> None:
        """SIGKILL; a wanted part comes again by `tend`."""
        process = self._running[name]
        process.kill()
        process.wait()
        self.disturb()

    def pause(self, name: str) -> None:
        """SIGSTOP: it holds what it holds and knows nothing of the time."""
        self._running[name].send_signal(signal.SIGSTOP)

    def wake(self, name: str) -> None:
        """SIGCONT."""
        self._running[name].send_signal(signal.SIGCONT)
        self.disturb()

    def disturb(self) -> None:
        """Something was broken or mended: recovery is counted from here."""
        self._disturbed = time.monotonic()

    def end(self, name: str) -> int:
        """SIGTERM, by force after ten seconds; the exit code. It is no longer wanted."""
        self.wanted.pop(name, None)
        return stop_child(self._running.pop(name), 10.0)

    def end_all_but_the_store(self) -> None:
        """End every worker and loader."""
        for name in [part for part in self._running if part != "store"]:
            self.end(name)

    def end_group(self) -> None:
        """End the worker and its group: a static member's place is kept for a session."""
        self.end("work-1")
        with admin_of(self.broker) as admin:
            deadline = time.monotonic() + SETTLE_SECONDS
            while admin.describe_groups([WORK])[WORK]["group_state"] != "Empty":
                assert time.monotonic() < deadline, "the worker's group does not empty"
                time.sleep(0.2)

    def ends(self) -> dict[TopicPartition, int]:
        """Next offset of every raw partition."""
        return {
            TopicPartition(*place): end for place, end in log_ends(self.broker, [topic.name for topic in RAW.values()]).items()
        }

    def tend(self, seconds: float = 0.0) -> None:
        """Start what died, for so long."""
        deadline = time.monotonic() + seconds
        while True:
            for name, command in self.wanted.items():
                self._start_again(name, command)
            if time.monotonic() >= deadline:
                return
            time.sleep(0.1)

    def send(self, records: Iterable[Wire]) -> int:
        """Send records by the real producer; how many were delivered."""
        with EventProducer(self.broker) as producer:
            for record in records:
                producer.send_wire(record)
        assert not producer.failed
        return producer.delivered

    def send_to(self, partition: int, records: Iterable[Wire]) -> None:
        """Send records to a partition, whatever their keys say."""
        with EventProducer(self.broker) as producer:
            for record in records:
                producer.send_record(record.kind, record.key, record.value, HEADERS, partition)
        assert not producer.failed

    def until_logged(self, name: str, text: str, seconds: float = SETTLE_SECONDS) -> None:
        """Tend until a part's log has a text that it did not have before."""
        path = self.folder / f"{name}.log"
        before, deadline = path.read_text().count(text), time.monotonic() + seconds
        while path.read_text().count(text) == before:
            assert time.monotonic() < deadline, f"{name} does not log {text!r}; see {path}"
            self.tend(0.2)

    def query(self, sql: str, fmt: str) -> bytes:
        """Ask the store by its socket, beside the HTTP face and the proxy."""
        return ask(self.folder / "store" / SOCKET, sql, fmt)

    def number(self, sql: str) -> int:
        """The single number of a query."""
        return int(self.query(sql, "TSV"))

    def settle(self, seconds: float = SETTLE_SECONDS) -> Progress:
        """Wait until the ledger covers the log."""
        deadline = time.monotonic() + seconds
        problem: object = None
        while time.monotonic() < deadline:
            self.tend()
            try:
                now = self.measure()
            except CitybrainError as error:  # the store may be starting again
                problem = error
            else:
                problem = now
                if not now.behind:
                    return now
            time.sleep(0.2)
        raise AssertionError(f"still behind after {seconds:.0f} s: {problem}; logs in {self.folder}")

    def recover(self, seconds: float = SETTLE_SECONDS) -> Progress:
        """Settle, and keep how long it took since the last disturbance, if there was one since this was called before."""
        progress = self.settle(seconds)
        disturbed, now = max(self._disturbed, self.proxy.healed_at), time.monotonic()
        if disturbed > self._counted:
            self.recovered = now - disturbed
        self._counted = now
        return progress

    def measure(self) -> Progress:
        """How far it is now."""
        return measure(self.broker, self.query)

    def audit(self) -> AuditReport:
        """The only oracle."""
        return run_audit(self.broker, as_arrow(self.query), TIME_ZONE)

    def check(self, sent: int, seconds: float = SETTLE_SECONDS) -> None:
        """Settle, then: the audit is clean and every record that was sent is accounted for once."""
        progress = self.recover(seconds)
        report = self.audit()
        assert report.clean, report
        assert report.pending == report.not_checkable == 0, report
        assert progress.stored + progress.rejected + progress.repeated == sent == report.checked

    def wait_for_store(self) -> None:
        """Until the store answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.tend()
            try:
                self.query("SELECT 1", "TSV")
            except CitybrainError:
                assert time.monotonic() < deadline, f"no store after {START_SECONDS:.0f} s; see {self.folder / 'store.log'}"
                time.sleep(0.1)
            else:
                return

    def _start_again(self, name: str, command: list[str]) -> None:
        if self._running[name].poll() is None:
            self._died_at.pop(name, None)
            return
        died = self._died_at.setdefault(name, time.monotonic())
        if time.monotonic() - died >= PAUSE_SECONDS:
            self._start(name, command)

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CITYBRAIN_")} | {
            "CITYBRAIN_BROKER__BOOTSTRAP": self.kafka.bootstrap,
            "CITYBRAIN_DATA_DIR": str(self.folder / "store"),
            "CITYBRAIN_CITY__PLACES": str(self.folder / "places.geojson"),
            "CITYBRAIN_CITY__TIME_ZONE": TIME_ZONE,
            "CITYBRAIN_WORK__INSTANCE": name,
            **self.settings.get(name, {}),
        }
        if name != "store":
            environment["CITYBRAIN_CLICKHOUSE__URL"] = f"http://127.0.0.1:{self.proxy.port}/"
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                preexec_fn=tied_to_parent,  # noqa: PLW1509 - as in citybrain.supervisor
            )  # fmt: skip
        self._running[name] = process
        return process
