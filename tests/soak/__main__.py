"""A long run under faults, and what the audit says of it: `python -m tests.soak --events 10000000 --outage 600 --faults-seconds 3600`.

Events are sent all the time. Half a minute into it the broker is killed and stays away for the outage; then, for so long as
asked, something random is broken every few seconds: kill -9 of worker, loader, store or broker, a part stopped past its session,
connections to the store cut or silent. The moments come from the seed. At the end everything has to be stored, and once.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import xxhash

from bench.traffic import wires
from ingest.city import build_city
from ingest.outgoing import Wire
from ingest.producer import EventProducer
from schemas.errors import CitybrainError
from tests.faults.parts import Parts

BATCH: Final = 20_000
VICTIMS: Final = ("work-1", "load-1", "load-2", "store")
LONGEST_QUIET_SECONDS: Final = 6.0
PAST_SESSION_SECONDS: Final = 8.0
SILENT_SECONDS: Final = 5.0
BROKER_AWAY_SECONDS: Final = 8.0
STORED_SECONDS: Final = 120.0
"""After a fault, until something is stored again: longer is counted as never."""
SETTLE_SECONDS: Final = 3_600.0


@dataclass(slots=True)
class Report:
    """What was done and what was found. Times are seconds."""

    seed: int
    acknowledged: int = 0
    sent_again: int = 0
    distinct: int = 0
    in_log: int = 0
    stored: int = 0
    rejected: int = 0
    repeated: int = 0
    redelivered: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    outage_seconds: float = 0.0
    recovery: dict[str, float] = field(default_factory=dict)
    largest_mb: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    settle_seconds: float = 0.0
    lost: int = 0
    audit: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice."""
        return (
            bool(self.audit["clean"])
            and not self.lost
            and not self.audit["pending"]
            and self.stored + self.rejected == self.distinct
        )


class Sender(threading.Thread):
    """Sends batch after batch; one that the broker did not confirm whole is sent again, which makes repeats and loses nothing."""

    def __init__(self, parts: Parts, events: int, per_second: float) -> None:
        super().__init__(daemon=True)
        self._parts, self._wires, self._per_second = parts, wires("mixed", events), per_second
        self.acknowledged = self.again = 0
        self.keys: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            began = time.monotonic()
            while batch := list(islice(self._wires, BATCH)):
                while not self._confirmed(batch):
                    self.again += len(batch)
                    time.sleep(1.0)
                self.acknowledged += len(batch)
                self.keys.append(np.array([xxhash.xxh3_64_intdigest(wire.key) for wire in batch], np.uint64))
                # What an outage took is caught up, so that faults meet a pipeline with work, and the end does not wait for the rest.
                time.sleep(max(0.0, began + self.acknowledged / self._per_second - time.monotonic()))
        except BaseException as error:  # shown by the main thread
            self.error = error

    def _confirmed(self, batch: list[Wire]) -> bool:
        try:
            with EventProducer(self._parts.broker) as producer:
                for wire in batch:
                    producer.send_wire(wire)
        except CitybrainError:
            return False
        return not producer.failed

    @property
    def distinct(self) -> int:
        """Events by source and id."""
        return len(np.unique(np.concatenate(self.keys)))


class Soak:
    """One run."""

    def __init__(self, parts: Parts, sender: Sender, report: Report) -> None:
        self._parts, self._sender, self._report = parts, sender, report
        self._faults: Counter[str] = Counter()
        self._draw = random.Random(report.seed)

    def outage(self, seconds: float) -> None:
        """The broker is killed and comes back; nobody is started by hand, and work goes on."""
        self._parts.kafka.kill()
        self.tend(seconds)
        self._parts.kafka.start()
        self._parts.disturb()
        self._report.outage_seconds = seconds
        self._recover("outage")

    def break_things(self, seconds: float) -> None:
        """A random fault every few seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.tend(self._draw.uniform(0.5, LONGEST_QUIET_SECONDS))
            fault = self._draw.choice(("kill", "kill", "kill", "pause", "cut", "silent", "broker"))
            self._faults[fault] += 1
            getattr(self, f"_{fault}")()
            if self._draw.random() < 0.1:
                self._recover(fault)
            self._look()
        self._report.faults = dict(self._faults)

    def _kill(self) -> None:
        name = self._draw.choice(VICTIMS)
        if self._parts.process(name).poll() is None:
            self._parts.kill(name)
            self._report.kills += 1

    def _pause(self) -> None:
        name = self._draw.choice(("work-1", "load-1"))
        if self._parts.process(name).poll() is None:
            self._parts.pause(name)
            self.tend(PAST_SESSION_SECONDS)
            self._parts.wake(name)

    def _cut(self) -> None:
        self._parts.proxy.cut_after(self._draw.randrange(1, 2_000_000))

    def _silent(self) -> None:
        self._parts.proxy.half_open = True
        self.tend(SILENT_SECONDS)
        self._parts.proxy.heal()

    def _broker(self) -> None:
        self._parts.kafka.kill()
        self._report.kills += 1
        self.tend(BROKER_AWAY_SECONDS)
        self._parts.kafka.start()

    def _recover(self, fault: str) -> None:
        """How long until something new is stored, where there is something to store."""
        started, before = time.monotonic(), self._stored()
        while time.monotonic() - started < STORED_SECONDS:
            self.tend(0.5)
            if (self._stored() or 0) > (before or 0):
                took = round(time.monotonic() - started, 1)
                self._report.recovery[fault] = max(took, self._report.recovery.get(fault, 0.0))
                return
        if self._sender.is_alive():
            self._report.recovery[fault] = float("inf")

    def _stored(self) -> int | None:
        try:
            return self._parts.number("SELECT sum(stored) FROM blocks")
        except CitybrainError:
            return None

    def _look(self) -> None:
        for name in (*VICTIMS, "kafka"):
            pid = self._parts.kafka.pid if name == "kafka" else self._parts.process(name).pid
            try:
                size = psutil.Process(pid).memory_info().rss / 1e6 if pid else 0.0
            except psutil.NoSuchProcess:
                continue
            self._report.largest_mb[name] = round(max(size, self._report.largest_mb.get(name, 0.0)))

    def tend(self, seconds: float) -> None:
        """Start what died, for so long."""
        self._parts.tend(seconds)
        if self._sender.error:
            raise self._sender.error


def run(folder: Path, events: int, outage: float, faults_seconds: float, seed: int) -> Report:
    """Everything, on a deployment of its own in the folder."""
    report, started = Report(seed), time.monotonic()
    # Sent over the whole time, so that every fault has something to break.
    per_second = max(events / max(faults_seconds + 60, 1), 1_000)
    with Parts(folder, build_city(1).places) as parts:
        parts.want("work-1", "load-1", "load-2")
        sender = Sender(parts, events, per_second)
        sender.start()
        soak = Soak(parts, sender, report)
        soak.tend(30)
        if outage:
            soak.outage(outage)
        soak.break_things(faults_seconds)
        while sender.is_alive():
            soak.tend(1.0)
        settling = time.monotonic()
        progress = parts.settle(SETTLE_SECONDS)
        report.settle_seconds = round(time.monotonic() - settling, 1)
        found = parts.audit()
        report.acknowledged, report.sent_again, report.distinct = sender.acknowledged, sender.again, sender.distinct
        report.in_log, report.stored, report.rejected = progress.sent, progress.stored, progress.rejected
        report.repeated, report.redelivered = progress.repeated, progress.redelivered
        report.lost = max(0, sender.acknowledged - progress.sent) + max(
            0, sender.distinct - progress.stored - progress.rejected
        )
        report.audit = found.to_dict()
    report.seconds = round(time.monotonic() - started, 1)
    return report


def main() -> None:
    """Exit code 1 unless the audit is clean and nothing is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--outage", type=float, default=600.0, help="seconds that the broker is away")
    parser.add_argument("--faults-seconds", type=float, default=3_600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for logs and data; else a temporary one that is removed")
    asked = parser.parse_args()
    print(f"soak: --seed {asked.seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="citybrain-soak-") as made:
        report = run(asked.folder or Path(made), asked.events, asked.outage, asked.faults_seconds, asked.seed)
    print(json.dumps(asdict(report) | {"clean": report.clean}, indent=1, ensure_ascii=False, default=str))
    if not report.clean:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
