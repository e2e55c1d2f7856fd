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
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import psutil
import pytest
from click.testing import CliRunner, Result
from kafka import KafkaProducer

from citybrain.audit import run_audit
from citybrain.cli import cli
from citybrain.progress import measure
from citybrain.reading import as_arrow, open_query
from citybrain.settings import Settings
from citybrain.status import parts_of
from ingest.outgoing import Outgoing
from ingest.producer import EventProducer
from schemas.alerts import encode_alert
from schemas.errors import BadSettings
from schemas.kafka_options import Broker, producer
from schemas.topics import ALERTS
from tests.alerts import raised
from tests.view.live_client import messages

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


def act_on_an_alert(api: httpx.Client, port: int) -> None:
    """An alert out of the log, an action into it, and the alert as the loader then shows it."""
    alert = raised("150627001001001")
    wire = encode_alert(alert)
    with closing(KafkaProducer(**producer(Broker(bootstrap=f"127.0.0.1:{port}")))) as log:
        log.send(ALERTS.name, key=wire.key, value=wire.value, headers=wire.headers).get(30)
    seen = until(lambda: api.get(f"/api/v1/alerts/{alert.id}"), lambda answer: answer.status_code == 200)
    headers = {"If-Match": seen.headers["etag"], "Idempotency-Key": "up-and-ack"}
    for _ in range(2):  # the second is the first, answered again
        acted = api.post(f"/api/v1/alerts/{alert.id}/actions", json={"kind": "ack"}, headers=headers)
        assert (acted.status_code, acted.json()["version"]) == (202, 2), acted.text
    told = until(lambda: api.get(f"/api/v1/alerts/{alert.id}"), lambda answer: answer.json()["version"] > 1).json()
    assert (told["state"], [(one["kind"], one["role"]) for one in told["actions"]]) == ("acknowledged", [("ack", "desk")])


def until(ask: Callable[[], httpx.Response], enough: Callable[[httpx.Response], bool]) -> httpx.Response:
    """The first answer that is enough; who listens is not there yet for a while."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with suppress(httpx.TransportError):
            answer = ask()
            if enough(answer):
                return answer
        assert time.monotonic() < deadline
        time.sleep(0.2)


def run_well(*arguments: str) -> str:
    """What a command prints, run in this process."""
    with patch("citybrain.logs.set_up_logs"):
        result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def run_here(*arguments: str) -> Result:
    """A command that is refused before it starts anything, in this process."""
    with patch("citybrain.logs.set_up_logs"):
        result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 1, result.output
    return result


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scrape(url: str) -> str:
    page: str = urllib.request.urlopen(url, timeout=5).read().decode()
    return page


def test_it_goes_on_where_it_was_killed_and_stops_at_ctrl_c(tmp_path: Path, port: int) -> None:
    """Kill -9 of a part, then of the whole, then Ctrl-C: nothing is lost, nothing doubled, nobody left behind."""
    made = run_well("view", "token", "new", "desk", "--scope", "city", "--duty", "--data-dir", str(tmp_path), "--json")
    duty = {"Authorization": f"Bearer {json.loads(made)['secret']}"}
    up = Up(tmp_path, port)
    send(port, 0, 100)
    assert settle(tmp_path, port) == 100
    page = scrape(up.facts["metrics"])
    assert 'citybrain_events_total{kind="police"} 100.0' in page
    assert 'citybrain_clickhouse_rows_total{table="events"} 100.0' in page
    assert 'citybrain_person_fields_dropped_total{field="phone"} 100.0' in page
    refused = run_here("up", "--data-dir", str(tmp_path))
    assert f"{tmp_path} is in use by process {up.process.pid}" in str(refused.exception)
    assert 'citybrain_events_total{kind="police"} 100.0' in scrape(up.facts["metrics"]), "who is refused leaves all as it was"

    (worker,) = [part["pid"] for part in parts_of(up.process.pid, tmp_path) if part["part"] == "work"]
    psutil.Process(worker).kill()
    send(port, 50, 100)
    assert settle(tmp_path, port) == 150
    assert 'citybrain_part_restarts_total{part="work-1"} 1.0' in scrape(up.facts["metrics"])
    up.end(signal.SIGKILL)

    up = Up(tmp_path, port)
    send(port, 150, 50)
    assert settle(tmp_path, port) == 200
    report = run_audit(Broker(bootstrap=f"127.0.0.1:{port}"), as_arrow(open_query(Settings(), tmp_path)), "Asia/Shanghai")
    assert report.clean, report
    assert report.repeated == 50
    with httpx.Client(base_url=up.facts["view"].removesuffix("/api/v1/state"), headers=duty, timeout=60) as api:
        act_on_an_alert(api, port)
        assert 'citybrain_view_answers_total{status="202"} 2.0' in scrape(up.facts["metrics"])
        with messages(api, duty) as stream:
            stream.next("hello")
            assert up.end(signal.SIGINT) < 10
    assert open_query(Settings(), tmp_path)("SELECT count() FROM events", "TSV") == b"200\n"  # after it has ended, too
    assert {path.name for path in tmp_path.iterdir()} >= {"clickhouse", "kafka", "logs"}
    assert not (tmp_path / "deployment.json").exists()


@pytest.mark.parametrize("setting", ["CITYBRAIN_BROKER__BOOTSTRAP", "CITYBRAIN_METRICS__PORT"])
def test_a_port_that_is_taken_is_named_with_its_setting(
    tmp_path: Path, port: int, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CITYBRAIN_BROKER__BOOTSTRAP", f"127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setenv(setting, f"127.0.0.1:{port}" if "BROKER" in setting else str(port))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused = run_here("up", "--data-dir", str(tmp_path))

    assert str(refused.exception).startswith(f"{setting}: port {port} cannot be taken")
    assert not list(tmp_path.iterdir()), "nothing was started"


def test_a_kafka_elsewhere_is_refused_with_what_to_run_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_BROKER__BOOTSTRAP", "kafka-1:9092")
    refused = run_here("up", "--data-dir", str(tmp_path))

    assert isinstance(refused.exception, BadSettings)
    assert "citybrain work" in str(refused.exception)
