"""Kill -9 of worker and loader, twice each, while records pour in: nothing lost, nothing twice, memory held."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import psutil
import pytest

from citybrain.audit import AuditReport
from citybrain.progress import Progress
from ingest.city import City, make_plan
from ingest.outgoing import Wire
from ingest.producer import EventProducer
from schemas.kafka_options import Broker
from tests.pipeline import Pipeline

SEED = 20260302
RECORDS = 60_000
SEND_SECONDS = 20.0
"""The stream lasts this long, so that every kill falls into it."""
KILLS = ("work-1", "load", "work-1", "load")
LOADER_BYTES = 2_000_000_000


class Outcome(NamedTuple):
    """What was seen of the whole run."""

    delivered: int
    killed: list[int]
    progress: Progress
    audit: AuditReport
    loader_peak: int


class Sender(threading.Thread):
    """Sends a stream of records evenly over some seconds."""

    def __init__(self, broker: Broker, records: list[Wire]) -> None:
        super().__init__(daemon=True)
        self._broker, self._records = broker, records
        self.delivered = self.failed = 0

    def run(self) -> None:
        started = time.monotonic()
        with EventProducer(self._broker) as producer:
            for number, wire in enumerate(self._records):
                if number % 500 == 0:
                    time.sleep(max(0.0, started + SEND_SECONDS * number / len(self._records) - time.monotonic()))
                producer.send_wire(wire)
        self.delivered, self.failed = producer.delivered, producer.failed


class Memory(threading.Thread):
    """Highest resident memory of a part over its lives, bytes."""

    def __init__(self, pipeline: Pipeline, name: str) -> None:
        super().__init__(daemon=True)
        self._pipeline, self._name = pipeline, name
        self._over = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._over.wait(0.2):
            process = self._pipeline.part(self._name).process
            if process is not None and psutil.pid_exists(process.pid):
                try:
                    self.peak = max(self.peak, psutil.Process(process.pid).memory_info().rss)
                except psutil.NoSuchProcess:
                    continue

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.peak


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Outcome]:
    """One run on a deployment of its own."""
    plan = make_plan(city, datetime(2026, 3, 2, tzinfo=UTC), 1_000_000)
    records = list(islice(plan.wires(played=False), RECORDS))
    moments = random.Random(SEED)
    with Pipeline(tmp_path_factory.mktemp("killed"), city.places) as pipeline:
        sender, memory = Sender(pipeline.broker, records), Memory(pipeline, "load")
        sender.start()
        memory.start()
        killed = []
        for name in KILLS:
            _look_for(pipeline, SEND_SECONDS / len(KILLS) * moments.uniform(0.5, 1.0))
            process = pipeline.part(name).process
            assert process is not None
            assert sender.is_alive(), "this kill came after the stream"
            killed.append(process.pid)
            pipeline.kill(name)
        sender.join(120)
        assert not sender.failed
        progress = pipeline.settle()
        yield Outcome(sender.delivered, killed, progress, pipeline.audit(), memory.stop())


def _look_for(pipeline: Pipeline, seconds: float) -> None:
    """Let the supervisor do its work for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pipeline.deployment.supervisor.look()
        time.sleep(0.1)


class TestKilled:
    def test_four_different_processes_were_killed(self, outcome: Outcome) -> None:
        assert len(set(outcome.killed)) == len(KILLS), "each kill found a part that had been started again"

    def test_the_audit_is_clean(self, outcome: Outcome) -> None:
        report = outcome.audit

        assert report.clean, report
        assert report.aggregate_differences == dict.fromkeys(("counts_minute", "counts_day", "cases", "sensor_rollup"), 0)
        assert (report.pending, report.not_checkable) == (0, 0)

    def test_every_record_that_was_sent_is_accounted_for_once(self, outcome: Outcome) -> None:
        done = outcome.progress

        assert outcome.delivered == RECORDS == outcome.audit.checked
        assert done.stored + done.rejected + done.repeated == RECORDS
        assert done.repeated == outcome.audit.repeated

    def test_the_loader_with_its_store_stays_under_two_gigabytes(self, outcome: Outcome) -> None:
        assert 0 < outcome.loader_peak < LOADER_BYTES, f"{outcome.loader_peak / 1e6:.0f} MB"
