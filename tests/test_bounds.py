"""Memory stays bounded when the worker's agents stand still while a topic is full."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from ingest.outgoing import Wire
from ingest.producer import EventProducer
from schemas.kafka_options import Broker

RECORDS = 300_000
RECORD_BYTES = 1_000
WATCHED_SECONDS = 15.0
MOST_BYTES = 800 << 20

PAUSED_WORKER = """
import threading
import streams.worker as worker
from schemas.kafka_options import Broker
from schemas.places import Places

entered = threading.Event()

def stand_still(kitchen, records):
    print("standing still", flush=True)
    entered.set()
    threading.Event().wait()

worker.cook = stand_still
worker.run(worker.WorkerOptions(broker=Broker(bootstrap="{bootstrap}"), places=Places(())))
"""


def test_a_paused_agent_holds_the_worker_under_800_mb(tmp_path: Path) -> None:
    """300 MB wait in the topic; the worker may fetch a few batches of them, no more."""
    with LocalKafka(tmp_path / "kafka") as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        value = b'{"filler": "' + b"x" * RECORD_BYTES + b'"}'
        with EventProducer(broker) as producer:
            for number in range(RECORDS):
                producer.send_wire(Wire("sensor", str(number).encode(), value))
        with subprocess.Popen(
            [sys.executable, "-c", PAUSED_WORKER.format(bootstrap=kafka.bootstrap)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as worker:
            assert worker.stdout
            assert any(b"standing still" in line for line in worker.stdout)
            most = _watch(psutil.Process(worker.pid))
            worker.kill()

    print(f"paused worker: {most >> 20} MiB")
    assert most < MOST_BYTES, f"{most >> 20} MiB"


def _watch(process: psutil.Process) -> int:
    """The most resident memory seen, bytes."""
    most = 0
    deadline = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < deadline:
        most = max(most, process.memory_info().rss)
        time.sleep(0.1)
    return most
