"""`citybrain up` as a user runs it: a process, a folder, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from citybrain.audit import run_audit
from citybrain.progress import measure
from citybrain.reading import as_arrow, open_query
from citybrain.settings import Settings
from ingest.outgoing import Outgoing
from ingest.producer import EventProducer
from schemas.kafka_options import Broker

START_SECONDS = 60.0


class Up:
    """One `citybrain up`."""

    def __init__(self, folder: Path, port: int) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CITYBRAIN_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "citybrain", "up", "--data-dir", str(folder), "--json"],
            env=environment | {"CITYBRAIN_BROKER__BOOTSTRAP": f"127.0.0.1:{port}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        self.facts: dict[str, Any] = json.loads(line)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def end(self, how: signal.Signals) -> float:
        """Seconds until it and all its children are gone."""
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(30)
        psutil.wait_procs(self.children, 15)
        assert not [child for child in self.children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        return time.monotonic() - started


def send(port: int, first: int, count: int) -> None:
    with EventProducer(Broker(bootstrap=f"127.0.0.1:{port}")) as producer:
        for number in range(first, first + count):
            producer.send(Outgoing("police", "/up", str(number), datetime.now(UTC), {"text": "入室盗窃", "phone": "1390000"}))


def settle(folder: Path, port: int) -> int:
    """Stored events, once the ledger covers the log."""
    query = open_query(Settings(), folder)
    deadline = time.monotonic() + START_SECONDS
    while (now := measure(Broker(bootstrap=f"127.0.0.1:{port}"), query)).behind:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return now.stored


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_starts_stops_and_goes_on_where_it_stopped(tmp_path: Path, port: int) -> None:
    """Twice Ctrl-C, once kill -9: each time nothing is lost and nothing doubled."""
    up = Up(tmp_path, port)
    send(port, 0, 100)
    assert settle(tmp_path, port) == 100
    page = urllib.request.urlopen(up.facts["metrics"], timeout=5).read().decode()
    assert 'citybrain_events_total{kind="police"} 100.0' in page
    assert 'citybrain_clickhouse_rows_total{table="events"} 100.0' in page
    assert 'citybrain_person_fields_dropped_total{field="phone"} 100.0' in page
    refused = subprocess.run(
        [sys.executable, "-m", "citybrain", "up", "--data-dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert f"{tmp_path} is in use by process {up.process.pid}" in refused.stderr
    assert up.end(signal.SIGINT) < 10

    assert open_query(Settings(), tmp_path)("SELECT count() FROM events", "TSV") == b"100\n"  # after it has ended, too

    up = Up(tmp_path, port)
    send(port, 50, 100)
    assert settle(tmp_path, port) == 150
    up.end(signal.SIGKILL)

    up = Up(tmp_path, port)
    send(port, 150, 50)
    assert settle(tmp_path, port) == 200
    report = run_audit(Broker(bootstrap=f"127.0.0.1:{port}"), as_arrow(open_query(Settings(), tmp_path)), "Asia/Shanghai")
    assert report.clean, report
    assert report.repeated == 50
    assert up.end(signal.SIGTERM) < 10


def test_a_port_that_is_taken_is_named(tmp_path: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "citybrain", "up", "--data-dir", str(tmp_path)],
            env={**os.environ, "CITYBRAIN_BROKER__BOOTSTRAP": f"127.0.0.1:{port}"},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
