"""A status without Kafka or without a store still shows the rest, and says what does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from citybrain.cli import cli
from citybrain.commands.status import lines
from citybrain.reading import Query
from citybrain.readonly import read
from citybrain.settings import Settings
from citybrain.status import status
from schemas.errors import StoreUnavailable
from schemas.kafka_options import Broker, common
from sinks.store import Store


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A broker that does not answer, and is not waited for."""
    monkeypatch.setattr("citybrain.status.common", lambda broker: common(broker) | {"bootstrap_timeout_ms": 300})
    return Settings(data_dir=tmp_path, broker=Broker(bootstrap="127.0.0.1:1"))


def test_without_kafka_the_ledger_is_shown(nowhere: Settings, store: Store) -> None:
    found = status(nowhere, lambda: lambda sql, fmt: read(store, sql, fmt))

    assert found["ledger"]["blocks"] == 0
    assert found["ledger"]["newest"] is None, "an empty ledger has no newest row"
    assert (found["deployment"], found["topics"], found["behind"], found["groups"]) == (None, None, None, None)
    assert len(found["problems"]) == 1
    assert lines(found)[-1].startswith("ledger      0 blocks")


def test_without_a_store_kafka_is_shown(broker: Broker, tmp_path: Path) -> None:
    def none() -> Query:
        raise StoreUnavailable("query", 0, "no store here")

    found = status(Settings(data_dir=tmp_path, broker=broker), none)

    assert found["problems"] == ["query: no store here"]
    assert (found["ledger"], found["holes"]) == (None, None)
    assert set(found["groups"]["lag"]) == {"citybrain-work", "citybrain-load"}


def test_a_problem_is_an_exit_code_and_a_line(nowhere: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.logs.set_up_logs", lambda _: None)
    monkeypatch.setattr("citybrain.running.located", lambda *_: nowhere)
    done = CliRunner().invoke(cli, ["status", "--data-dir", str(nowhere.data_dir)])

    assert done.exit_code == 1
    assert "none runs here" in done.stdout
    assert "no store at" in done.stderr
    assert "127.0.0.1:1" in done.stderr
