"""Topics: one raw topic a kind, one of blocks that is wide and roomy enough for all of them."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from schemas import topics
from schemas.block import MAX_BYTES
from schemas.events import MAX_EVENT_BYTES, Kind
from schemas.topics import ALERTS, ALL, DAY_MS, RAW, RISK, Topic


def test_every_kind_has_its_raw_topic() -> None:
    assert {kind: topic.name for kind, topic in RAW.items()} == {kind: f"citybrain.{kind}" for kind in get_args(Kind)}


def test_blocks_have_as_many_partitions_as_the_widest_raw_topic() -> None:
    """Partition p of any raw topic goes to partition p of citybrain.risk."""
    assert RISK.partitions >= max(topic.partitions for topic in RAW.values())


def test_a_full_block_of_reject_bodies_fits_into_a_record() -> None:
    """A block closes at MAX_BYTES raw or with the one record that passes it."""
    assert RISK.max_message_bytes >= MAX_BYTES + RAW["sensor"].max_message_bytes


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_names_sizes_and_retention_make_sense(topic: Topic) -> None:
    assert re.fullmatch(r"citybrain\.[a-z]+", topic.name)
    assert topic.partitions >= 1
    assert topic.retention_ms >= 7 * DAY_MS
    assert topic.max_message_bytes > MAX_EVENT_BYTES, "what is too large is rejected by us, with a row, and not by Kafka"


def test_names_stand_once() -> None:
    assert len({topic.name for topic in ALL}) == len(ALL) == len(RAW) + 2
    assert set(topics.ALL) == {*RAW.values(), RISK, ALERTS}
