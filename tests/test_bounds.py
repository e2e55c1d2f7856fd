"""Memory has a bound whatever waits in Kafka: a worker whose agents stand still fetches no more than they can hold."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import psutil
import pytest

from citybrain.local_kafka import LocalKafka
from citybrain.places_file import write_places
from citybrain.topics import ensure_topics
from ingest.city import City
from ingest.outgoing import CONTENT_TYPE, Outgoing, encode
from ingest.producer import EventProducer
from schemas.events import Kind
from schemas.kafka_options import Broker

WORKER_BYTES = 800_000_000
RECORDS = {"sensor": 60_000, "police": 45_000, "grid": 45_000}
WATCHED_SECONDS = 12.0
PAUSED = """
import sys, threading
from pathlib import Path
from citybrain.places_file import read_places
from schemas.kafka_options import Broker
from streams import worker
def stand_still(*_):
    print("standing still", flush=True)
    threading.Event().wait()
worker.cook = stand_still
worker.run(worker.WorkerOptions(broker=Broker(bootstrap=sys.argv[1]), places=read_places(Path(sys.argv[2]))))
"""
TEXT = "居民反映小区门口井盖缺失，夜间行人容易跌入，请尽快派人处理。" * 80


class Watched(NamedTuple):
    """Resident memory, bytes, once a second, and how much data waited."""

    resident: list[int]
    waiting: int


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, city: City) -> Iterator[Watched]:
    """A worker whose agents are paused over more than a GB that compresses well: a fetch is limited in compressed bytes."""
    folder = tmp_path_factory.mktemp("bounds")
    write_places(folder / "places.geojson", city.places)
    with LocalKafka(folder / "kafka") as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        waiting = _fill(broker)
        worker = subprocess.Popen(
            [sys.executable, "-c", PAUSED, broker.bootstrap, str(folder / "places.geojson")], stdout=subprocess.PIPE
        )
        try:
            assert worker.stdout is not None
            assert any(b"standing still" in line for line in worker.stdout), "the worker ended"
            yield Watched(_watch(worker.pid), waiting)
        finally:
            worker.kill()
            worker.wait()
            if worker.stdout:
                worker.stdout.close()


def _fill(broker: Broker) -> int:
    """Fill the raw topics; bytes that were sent."""
    size = 0
    at = datetime(2026, 3, 2, tzinfo=UTC)
    kinds: list[Kind] = ["sensor", "police", "grid"]
    with EventProducer(broker) as producer:
        for kind in kinds:
            value = encode(Outgoing(kind, "/paused", "1", at, {"text": TEXT})).value
            for number in range(RECORDS[kind]):
                producer.send_record(kind, str(number).encode(), value, [CONTENT_TYPE])
            size += len(value) * RECORDS[kind]
    assert producer.delivered == sum(RECORDS.values())
    return size


def _watch(pid: int) -> list[int]:
    seen = []
    process = psutil.Process(pid)
    deadline = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < deadline:
        seen.append(process.memory_info().rss)
        time.sleep(1.0)
    return seen


class TestPausedWorker:
    def test_it_holds_less_than_its_bound(self, watched: Watched) -> None:
        assert watched.waiting > 1_000_000_000, "else there is nothing to hold back"
        assert max(watched.resident) < WORKER_BYTES, [f"{value / 1e6:.0f} MB" for value in watched.resident]

    def test_it_stops_growing(self, watched: Watched) -> None:
        half = len(watched.resident) // 2
        assert max(watched.resident[half:]) < max(watched.resident[:half]) * 1.1
