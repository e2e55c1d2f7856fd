"""The audit's reader of records: every record once and in order, and what it says when it cannot."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from citybrain.audit.record_reader import AT_ONCE, RecordReader, options
from citybrain.local_kafka import LocalKafka
from schemas.errors import BrokerUnavailable
from schemas.kafka_clients import open_admin
from schemas.kafka_options import Broker, common, producer

RECORDS = AT_ONCE + 100
TOPIC = "read-me"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        found = Broker(bootstrap=kafka.bootstrap)
        admin = open_admin(common(found))
        admin.create_topics({TOPIC: {"num_partitions": 2, "replication_factor": 1}})
        admin.close()
        sender = KafkaProducer(**producer(found))
        for number in range(RECORDS):
            sender.send(TOPIC, value=b"%d" % number, headers=[("n", b"%d" % number)], partition=1)
        sender.close()
        yield found


def test_every_record_of_the_asked_offsets_once_and_in_order(broker: Broker) -> None:
    taken: list[tuple[int, bytes | None, Any]] = []
    told: list[int] = []

    with RecordReader(broker) as records:
        records.read((TOPIC, 1), 7, RECORDS - 3, lambda *record: taken.append(record), told.append)
        records.read((TOPIC, 0), 0, 0, lambda *record: taken.append(record), told.append)

    assert [offset for offset, _, _ in taken] == list(range(7, RECORDS - 3))
    assert [value for _, value, _ in taken] == [b"%d" % offset for offset in range(7, RECORDS - 3)]
    assert all(tuple(headers) == (("n", value),) for _, value, headers in taken)
    assert sum(told) >= len(taken)


def test_offsets_that_are_not_there_are_an_error_with_their_place(broker: Broker) -> None:
    with RecordReader(broker) as records, pytest.raises(BrokerUnavailable, match=rf"{TOPIC}\[1\], offsets {RECORDS + 50} to"):
        records.read((TOPIC, 1), RECORDS + 50, RECORDS + 60, lambda *_: None, lambda _: None)


def test_no_broker_is_an_error_that_names_it() -> None:
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:1\b"), RecordReader(Broker(bootstrap="127.0.0.1:1")):
        pass


def test_certificates_become_a_context(tmp_path: Path) -> None:
    broker = Broker(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="audit")

    found = options(broker)

    assert isinstance(found["ssl_context"], ssl.SSLContext)
    assert found["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert (found["sasl_mechanism"], found["sasl_plain_username"]) == ("SCRAM-SHA-512", "audit")
    with pytest.raises(FileNotFoundError):
        options(broker.model_copy(update={"ssl_cafile": str(tmp_path / "missing.pem")}))
