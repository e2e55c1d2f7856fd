"""All raw topics are read again, partitions are added, and offsets have gaps while parts run."""

from __future__ import annotations

import time

import pytest
from kafka import KafkaProducer

from ingest.producer import HEADERS
from schemas.kafka_options import producer
from schemas.topics import RAW, RISK
from tests.faults.conftest import Traffic
from tests.faults.parts import WORK, Parts
from tests.life import admin_of

CONTENT = (
    "SELECT count(), sum(cityHash64(source_topic_id, source_partition, source_offset, source, id, incident_class, grid)) FROM events",
    "SELECT count(), sum(cityHash64(source_topic_id, source_partition, source_offset, reason)) FROM rejected",
    "SELECT sum(events), sum(cityHash64(minute, grid, incident_class, kind) * events) FROM counts_minute",
    "SELECT sum(events), sum(cityHash64(day, grid, incident_class, kind) * events) FROM counts_day",
)


@pytest.fixture(autouse=True)
def working(parts: Parts) -> None:
    """A worker and a loader."""
    parts.want("work-1", "load-1")


def test_reading_all_raw_topics_again_changes_nothing(parts: Parts, traffic: Traffic) -> None:
    traffic.send()
    parts.check(traffic.sent)
    before = [parts.query(sql, "TSV") for sql in CONTENT]
    redelivered = parts.settle().redelivered
    parts.end_group()
    with admin_of(parts.broker) as admin:
        admin.delete_groups([WORK])

    parts.want("work-1")
    while parts.settle().redelivered < redelivered + traffic.sent:
        parts.tend(0.2)
    parts.check(traffic.sent)
    assert [parts.query(sql, "TSV") for sql in CONTENT] == before


def test_partitions_are_added_while_parts_run(parts: Parts, traffic: Traffic) -> None:
    """The blocks' topic first, as `citybrain check` says; then the raw topics. No part is started again for it."""
    traffic.send()
    with admin_of(parts.broker) as admin:
        for topic in (RISK, RAW["police"]):
            admin.create_partitions({topic.name: 3})
    traffic.send()
    with admin_of(parts.broker) as admin:
        assert len(admin.describe_topics([RAW["police"].name])[0]["partitions"]) == 3
    records = traffic.records(60)
    parts.send([record for record in records if record.kind != "police"])
    parts.send_to(2, [record for record in records if record.kind == "police"])

    parts.check(traffic.sent)
    assert parts.number("SELECT count() > 0 FROM blocks WHERE source_topic = 'citybrain.police' AND source_partition = 2")


def test_partitions_are_added_while_the_worker_is_away(parts: Parts, traffic: Traffic) -> None:
    """It comes back within its session and is given what it had; its client is not told that there is more."""
    traffic.send()
    parts.settle()
    parts.kill("work-1")
    with admin_of(parts.broker) as admin:
        for topic in (RISK, RAW["police"]):
            most = len(admin.describe_topics([topic.name])[0]["partitions"])
            admin.create_partitions({topic.name: most + 1})
        last = len(admin.describe_topics([RAW["police"].name])[0]["partitions"]) - 1
    parts.tend(1.0)
    records = traffic.records(60)  # the broken one among them is of the police
    parts.send([record for record in records if record.kind != "police"])
    parts.send_to(last, [record for record in records if record.kind == "police"])

    parts.check(traffic.sent)
    assert parts.number(f"SELECT count() > 0 FROM blocks WHERE source_topic = 'citybrain.police' AND source_partition = {last}")


def test_gaps_of_transactions_do_not_stop_commits(parts: Parts, traffic: Traffic) -> None:
    """The end of a transaction takes an offset and is no record: neither a hole, nor a reason to stop committing.

    The worker has begun behind a committed offset: from there on Faust itself would wait for each record's acknowledgement.
    """
    traffic.send()
    parts.settle()
    until_all_is_committed(parts)
    parts.kill("work-1")
    sender = KafkaProducer(**producer(parts.broker), transactional_id="somebody-elses")
    sender.init_transactions()
    for _ in range(3):
        sender.begin_transaction()
        for record in traffic.records(50):
            sender.send(RAW[record.kind].name, record.value, record.key, HEADERS)
        sender.commit_transaction()
    sender.close()
    traffic.send()
    parts.check(traffic.sent)

    assert sum(parts.ends().values()) > traffic.sent, "there are gaps"
    until_all_is_committed(parts)


def until_all_is_committed(parts: Parts) -> None:
    """The worker's committed offsets are the ends of the log."""
    ends = {tp: end for tp, end in parts.ends().items() if end}
    with admin_of(parts.broker) as admin:
        deadline = time.monotonic() + 60
        while {tp: known.offset for tp, known in admin.list_group_offsets([WORK])[WORK].items()} != ends:
            assert time.monotonic() < deadline, "committed offsets do not reach the end of the log"
            time.sleep(0.2)
