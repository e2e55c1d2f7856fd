"""What a worker asks about its raw topics, on a real Kafka: their ids, and whether the next records are still there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from schemas.errors import RecordsGone
from schemas.kafka_options import Broker, common, producer
from sinks.loader import finish_joining
from streams.raw_log import RawLog, Topic, TopicReplaced
from tests.life import admin_of

TOPIC, GROUP = "raw-log-test", "raw-log-test-group"
PARTITION = TopicPartition(TOPIC, 0)


@pytest.fixture
def raw_log(broker: Broker) -> Iterator[RawLog]:
    """What a worker asks with."""
    with closing(RawLog(broker)) as made:
        yield made


@pytest.fixture
def topic(broker: Broker) -> str:
    """A new topic with ten records."""
    with admin_of(broker) as admin:
        if TOPIC in admin.list_topics():
            admin.delete_topics([TOPIC])
        while TOPIC in admin.list_topics():
            time.sleep(0.05)
        admin.create_topics({TOPIC: {"num_partitions": 1, "replication_factor": 1}})
    sender = KafkaProducer(**producer(broker))
    for number in range(10):
        sender.send(TOPIC, b"%d" % number)
    sender.flush()
    sender.close()
    return TOPIC


def test_a_topic_made_again_is_found_out(broker: Broker, raw_log: RawLog, topic: str) -> None:
    """Also in the moment in which there is none."""
    before = raw_log.ids([topic])[topic]
    assert raw_log.check_life(topic, before) == before

    with admin_of(broker) as admin:
        admin.delete_topics([topic])
        while topic in admin.list_topics():
            time.sleep(0.05)
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    with pytest.raises(
        TopicReplaced, match=f"{topic} was deleted and made again while it was read: its id was {before}, now it is"
    ):
        raw_log.check_life(topic, before)


def test_an_id_that_was_not_known_before_the_fetch_is_no_proof(raw_log: RawLog, topic: str) -> None:
    with pytest.raises(TopicReplaced, match="its id was unknown"):
        raw_log.check_life(topic, "")


def test_what_there_is_and_who_has_it(broker: Broker, raw_log: RawLog, topic: str) -> None:
    """A topic that is away is no error; a partition that came later is with nobody until the group shares out again."""
    group = GROUP + "-members"
    known = raw_log.existing([topic, "raw-log-test-away"])
    assert known == {topic: Topic(raw_log.ids([topic])[topic], frozenset({PARTITION}))}
    assert raw_log.taken(GROUP + "-of-nobody") is None  # asked until Kafka's coordinator is there

    def member() -> closing[KafkaConsumer]:
        return closing(KafkaConsumer(topic, **common(broker), group_id=group, metadata_max_age_ms=300_000))

    with member() as one, member() as other, admin_of(broker) as admin:  # for one partition: one of them has none
        while len(admin.describe_groups([group])[group]["members"]) < 2 or raw_log.taken(group) is None:
            for consumer in (one, other):
                consumer.poll(100)
                finish_joining(consumer)  # or a join that a poll's end cuts off is never finished
        admin.create_partitions({topic: 2})
        while len(raw_log.existing([topic])[topic].partitions) < 2:
            time.sleep(0.1)
        assert raw_log.taken(group) == frozenset({PARTITION})


def test_an_offset_of_another_life_is_told(broker: Broker, raw_log: RawLog, topic: str) -> None:
    """Also where its log is longer than that. An offset without an id is believed."""
    ids = raw_log.ids([topic])
    assert not raw_log.check_committed(GROUP + "-lives", ids, [(topic, 0)])
    with admin_of(broker) as admin:
        for metadata, stale in (("another id", {PARTITION}), (ids[topic], set()), ("", set())):
            admin.alter_group_offsets(GROUP + "-lives", {PARTITION: OffsetAndMetadata(4, metadata, -1)})
            assert raw_log.check_committed(GROUP + "-lives", ids, [(topic, 0)]) == stale


def test_records_that_are_gone_are_told_and_skipped_when_asked(
    broker: Broker, raw_log: RawLog, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    raw_log.check_committed(GROUP, {}, [(topic, 0)])  # nothing is committed: the oldest record is the right one
    with admin_of(broker) as admin:
        admin.alter_group_offsets(GROUP, {PARTITION: OffsetAndMetadata(4, "", -1)})
        admin.delete_records({PARTITION: 4})
        raw_log.check_committed(GROUP, {}, [(topic, 0)])
        admin.delete_records({PARTITION: 9})

    with pytest.raises(RecordsGone, match="offset 4, but the log starts at 9; 5 records are gone"):
        raw_log.check_committed(GROUP, {}, [(topic, 0)])
    with pytest.raises(RecordsGone):
        raw_log.check_starts({PARTITION: 8})
    with caplog.at_level(logging.CRITICAL), closing(RawLog(broker, skip_gone=True)) as skipping:
        skipping.check_committed(GROUP, {}, [(topic, 0)])
    assert "going on, as asked by --skip-gone" in caplog.text
