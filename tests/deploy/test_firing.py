"""One rule for each invariant is seen firing in a real Prometheus over a pipeline in which that invariant was broken on purpose.

The rules are the shipped ones with a minute made a second: what lasts five minutes there lasts five seconds here. Rejects are
in test_prometheus.py, by the rules as they are.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest
from kafka import KafkaProducer

from citybrain.status import parts_of
from citybrain.store_socket import MAINTENANCE, remote_store
from ingest.outgoing import Outgoing
from ingest.producer import EventProducer
from schemas.kafka_options import producer
from schemas.topics import RISK
from tests.deploy import test_prometheus
from tests.deploy.test_prometheus import SHIPPED, Stack, until
from tests.sinks.blocks import block, raw

BLOCKS = 400
HELD_PER_SECOND, BEHIND = 200, 130_000
"""Records a second, and records: for two minutes more wait than the rule allows."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("firing")
    for name in ("alertmanager.yml", "prometheus.yml"):
        (folder / name).write_text((SHIPPED / name).read_text(encoding="utf-8"), encoding="utf-8")
    rules = re.sub(r"\b(\d+)m\b", r"\1s", (SHIPPED / "rules.yml").read_text(encoding="utf-8"))
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    with ExitStack() as closing, pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_prometheus, "SHIPPED", folder)
        running = Stack(folder / "stack", closing, CITYBRAIN_WORK__MOST_PER_SECOND=str(HELD_PER_SECOND))
        for part in ("load", "work-1"):
            until(f"{part} running", partial(running.runs, part))
        yield running


@contextmanager
def stopped(stack: Stack, name: str) -> Iterator[None]:
    """A part stands still: it runs, and does nothing."""
    (pid,) = [part["pid"] for part in parts_of(stack.up.pid, stack.folder / "data") if part["part"] == name]
    process = psutil.Process(pid)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def send(stack: Stack, first: int, number: int) -> None:
    with EventProducer(stack.broker) as sender:
        for n in range(first, first + number):
            sender.send(Outgoing("police", "/firing", str(n), datetime.now(UTC), {"text": "入室盗窃"}))


def fires(stack: Stack, name: str) -> None:
    until(f"{name} fires", lambda: name in stack.firing())


def test_stuck(stack: Stack) -> None:
    """Events are read, and the loader stands still."""
    send(stack, 0, 10)
    until("10 rows", lambda: stack.value('citybrain_clickhouse_rows_total{table="events"}') == 10)
    with stopped(stack, "load"):
        for number in range(10, 1_000):
            send(stack, number, 1)
            time.sleep(0.5)
            if "CitybrainNoProgress" in stack.firing():
                break
        fires(stack, "CitybrainNoProgress")
    until("it is over", lambda: "CitybrainNoProgress" not in stack.firing())


def test_lag_and_holes(stack: Stack) -> None:
    """Four hundred blocks wait for the loader, and every one of them passes an offset over."""
    with stopped(stack, "load"):
        client = KafkaProducer(**producer(stack.broker))
        for number in range(BLOCKS):
            made = block([raw(2 * number, f"firing-{number}")], topic_id="of-another-life")
            client.send(RISK.name, value=made.value, headers=made.headers, partition=0)
        client.close()
    fires(stack, "CitybrainLag")
    fires(stack, "CitybrainHoles")
    until("the lag is over", lambda: "CitybrainLag" not in stack.firing())


def test_doubles(stack: Stack) -> None:
    """A row is there twice, and an audit beside the deployment finds it."""
    store = remote_store(stack.folder / "data" / MAINTENANCE)
    store.command("INSERT INTO events SELECT * FROM events WHERE source = '/firing' AND id = '3'")
    audit = [sys.executable, "-m", "citybrain", "audit", "--data-dir", str(Path(stack.folder) / "data"), "--json"]
    assert subprocess.run(audit, capture_output=True, check=False).returncode == 1

    fires(stack, "CitybrainDoubles")


def test_behind(stack: Stack) -> None:
    """More comes than the worker may read; it goes on reading all the same."""
    send(stack, 1_000_000, BEHIND)
    fires(stack, "CitybrainBehind")
    assert "CitybrainNoProgress" not in stack.firing()
