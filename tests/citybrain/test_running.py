"""One deployment a folder, by a lock; a note that its owner left behind says nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from citybrain import reading
from citybrain.reading import open_query
from citybrain.running import LOCK, AlreadyRunning, hold, located, running_in, write_note
from citybrain.settings import Settings
from schemas.errors import StoreUnavailable
from schemas.kafka_options import Broker

BROKER = Broker(bootstrap="127.0.0.1:4711")


def test_the_second_owner_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    with hold(tmp_path):
        write_note(tmp_path, BROKER, "")
        with pytest.raises(AlreadyRunning, match=f"{tmp_path} is in use by process {os.getpid()}"):
            hold(tmp_path)
        assert running_in(tmp_path)

    assert running_in(tmp_path) is None
    hold(tmp_path).close()


def test_a_note_of_a_killed_owner_counts_for_nothing_though_its_process_id_lives_again(tmp_path: Path) -> None:
    """In a container each start has the same process id."""
    hold(tmp_path).close()
    write_note(tmp_path, BROKER, "")

    assert running_in(tmp_path) is None
    assert located(Settings(), tmp_path).broker == Broker()


def test_who_only_looks_does_not_keep_an_owner_out(tmp_path: Path) -> None:
    hold(tmp_path).close()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            running_in(tmp_path)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(20):
            hold(tmp_path).close()
    finally:
        done.set()
        looking.join()


def test_the_folder_leads_to_its_kafka_and_its_store(tmp_path: Path) -> None:
    with hold(tmp_path, LOCK):
        write_note(tmp_path, BROKER, "")
        found = located(Settings(broker=Broker(bootstrap="kafka-1:9092")), tmp_path)
        ours = located(Settings(broker=Broker(bootstrap="kafka-1:9092"), data_dir=tmp_path), None)

    assert (found.broker, found.clickhouse.url, found.data_dir) == (BROKER, str(tmp_path / "clickhouse"), tmp_path)
    assert ours.broker.bootstrap == "kafka-1:9092", "a broker that is set counts more than the folder of the settings"


def test_a_store_whose_loader_is_away_is_not_opened_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader that the supervisor starts again could not open its own folder."""
    monkeypatch.setattr(reading, "START_SECONDS", 0.2)
    (tmp_path / "clickhouse").mkdir()
    with hold(tmp_path):
        write_note(tmp_path, BROKER, "")
        with pytest.raises(StoreUnavailable, match=r"its loader did not answer.*load\.log"):
            open_query(Settings(), tmp_path)
