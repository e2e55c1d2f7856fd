"""A part that has work and does not get on is ended; one that is idle, or slow but going, is not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from citybrain import status as status_module
from citybrain.readonly import read
from citybrain.settings import Settings
from citybrain.status import status
from citybrain.watchdog import LEFT_STUCK, Watchdog
from ingest.outgoing import CONTENT_TYPE
from ingest.producer import EventProducer
from schemas.kafka_options import Broker
from sinks.store import Store


def test_work_in_hand_without_progress_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    left: list[int] = []
    watchdog = Watchdog("loader", 0.4, left.append)
    watchdog.start()
    watchdog.begun()
    deadline = time.monotonic() + 20
    while not left and time.monotonic() < deadline:
        watchdog.begun()
        time.sleep(0.05)

    assert left == [LEFT_STUCK]
    assert "loader has had work in hand for" in caplog.text


def test_idle_or_going_is_well() -> None:
    left: list[int] = []
    watchdog = Watchdog("loader", 2.0, left.append)
    watchdog.start()
    time.sleep(2.5)
    for _ in range(6):
        watchdog.begun()
        time.sleep(0.5)
        watchdog.advanced()

    assert left == []


def test_status_is_not_green_while_nothing_gets_on(
    broker: Broker, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No part is needed to see it: a record waits, and nothing stores it."""
    with EventProducer(broker) as producer:
        producer.send_record("grid", b"k", b"{}", [CONTENT_TYPE])
    settings = Settings(data_dir=tmp_path, broker=broker)
    monkeypatch.setattr(status_module, "STUCK_SECONDS", 1.0)
    time.sleep(1.5)

    found = status(settings, lambda: lambda sql, fmt: read(store, sql, fmt))

    assert found["waiting_seconds"] >= 1.0
    assert any("nothing gets on" in problem for problem in found["problems"])
