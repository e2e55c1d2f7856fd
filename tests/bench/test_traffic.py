"""The traffic of a measurement is what it says it is: a known number of records, and the same on every run."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import orjson
import pytest

from bench.traffic import BAD_SHARE, Traffic, wires
from ingest.city.cases import Shard
from schemas.events import Kind
from streams.judge import judge
from streams.records import RawRecord, Reject

NOW_MS = 4_000_000_000_000


def refused(kind: Kind, value: bytes) -> bool:
    return not value or isinstance(judge(kind, RawRecord(0, NOW_MS, value, []), value), Reject)


@pytest.mark.parametrize("traffic", get_args(Traffic))
def test_two_shards_send_as_many_records_as_asked_and_the_same_each_time(traffic: Traffic) -> None:
    shards = [list(wires(traffic, 5_001, Shard(number, 2))) for number in (0, 1)]

    assert [len(shard) for shard in shards] == [2_501, 2_500]
    assert shards[1] == list(wires(traffic, 5_001, Shard(1, 2)))


def test_mixed_traffic_has_every_kind_and_nothing_broken() -> None:
    found = list(wires("mixed", 30_000))

    kinds = Counter(wire.kind for wire in found)
    assert not any(refused(wire.kind, wire.value) for wire in found)
    assert min(kinds[kind] for kind in ("sensor", "police", "grid")) > 1_000


def test_one_record_in_a_hundred_is_bad_where_asked() -> None:
    found = list(wires("bad", 10_000))

    bad = sum(refused(wire.kind, wire.value) for wire in found)
    assert bad / len(found) == pytest.approx(BAD_SHARE, rel=0.1)


def test_text_traffic_says_its_class_in_words_alone_and_no_text_twice_in_a_row_of_blocks() -> None:
    data = [orjson.loads(wire.value)["data"] for wire in wires("text", 5_000)]

    assert all(event["text"] and "code" not in event and "incident_class" not in event for event in data)
    assert len({event["text"] for event in data}) > 0.99 * len(data)
