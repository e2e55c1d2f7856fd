"""The audit over citybrain.alerts: the same oracle for alerts and actions as for events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka import KafkaProducer

from citybrain.audit import AuditReport, run, run_audit
from citybrain.local_kafka import LocalKafka
from citybrain.topics import ensure_topics
from schemas.alerts import encode_alert
from schemas.kafka_options import Broker, producer
from schemas.topic_ids import topic_ids
from schemas.topics import ALERTS
from sinks.alert_writer import AlertWriter
from sinks.ledger import Position
from sinks.store import Store
from tests.alerts import action, raised

ALERT = raised()
VALUES = [
    *(encode_alert(event).value for event in (ALERT, action(ALERT, "ack", "a"), action(ALERT, "ack", "a"), raised("150627"))),
    b"{",
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka whose alerts are VALUES."""
    with LocalKafka(tmp_path_factory.mktemp("alerts")) as kafka:
        broker = Broker(bootstrap=kafka.bootstrap)
        ensure_topics(broker)
        with_headers = [encode_alert(ALERT).headers] * len(VALUES)
        sender = KafkaProducer(**producer(broker))
        for value, headers in zip(VALUES, with_headers, strict=True):
            sender.send(ALERTS.name, value, headers=headers)
        sender.close()
        yield broker


@pytest.fixture
def stored(broker: Broker, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store that holds them all."""
    monkeypatch.setattr(run, "PAUSE_SECONDS", 0.0)
    topic_id = topic_ids(broker, [ALERTS.name])[ALERTS.name]
    for offset, value in enumerate(VALUES):
        AlertWriter(store).write(Position(topic_id, 0, offset), value, 1_795_000_000_000)
    return store


def audit(broker: Broker, store: Store) -> AuditReport:
    return run_audit(broker, store.query_arrow, "Asia/Shanghai")


def test_clean_then_red_for_each_way_an_alert_can_be_wrong(broker: Broker, stored: Store) -> None:
    """One store for all of it: opening one costs more than the audit."""
    clean = audit(broker, stored)
    assert clean.clean
    assert (clean.checked, clean.repeated, clean.pending, clean.not_checkable) == (len(VALUES), 1, 0, 0)

    columns = ", ".join(
        name
        for (name,) in stored.query("SELECT name FROM system.columns WHERE table = 'alerts' AND default_kind != 'MATERIALIZED'")
    )
    stored.command(f"INSERT INTO alerts ({columns}) SELECT {columns} FROM alerts WHERE source_offset = 0")
    doubled = audit(broker, stored)
    assert (doubled.twice, doubled.ledger_differences, doubled.clean) == (1, 1, False)
    assert {(e["topic"], e["offset"]) for e in doubled.examples} == {(ALERTS.name, 0)}

    stored.command("ALTER TABLE alerts DELETE WHERE source_offset = 0 SETTINGS mutations_sync = 2")
    stored.command("ALTER TABLE alert_actions DELETE WHERE 1 SETTINGS mutations_sync = 2")
    lost = audit(broker, stored)
    assert (lost.holes, lost.twice, lost.clean) == (3, 0, False)
    assert [e["offset"] for e in lost.examples] == [0, 1, 2]

    stored.command("ALTER TABLE rejected DELETE WHERE 1 SETTINGS mutations_sync = 2")
    assert audit(broker, stored).holes == 4
