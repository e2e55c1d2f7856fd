"""Record batches by the column hold the records that aiokafka reads of them one by one."""

from __future__ import annotations

from typing import Any, Final

import pytest
from aiokafka.consumer.fetcher import Fetcher, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.batch_fetcher import OldFormat, _Batches, _BatchesOfPartition, hand_out_batches
from streams.log_batches import BrokenBatch, LogBatch, read_batches
from streams.records import USUAL, RawRecord

NOW: Final = 1_795_392_000_000
CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
SIZE_AT: Final = 8
BASE_AT: Final = 0

HEADERS: st.SearchStrategy[list[tuple[str, bytes | None]]] = st.one_of(
    st.just([USUAL]),
    st.just([]),
    st.lists(st.tuples(st.text(max_size=80), st.none() | st.binary(max_size=200)), max_size=4),
)
RECORDS = st.lists(
    st.tuples(
        st.none() | st.binary(max_size=70),
        st.none() | st.binary(max_size=300) | st.just(b"x" * 20_000),
        st.integers(-70_000, 70_000),
        HEADERS,
    ),
    min_size=1,
    max_size=12,
)


def batch_bytes(
    records: list[tuple[bytes | None, bytes | None, int, list[tuple[str, bytes | None]]]], base: int, codec: int
) -> bytes:
    """One record batch as the broker keeps it."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 10_000_000)
    for number, (key, value, late, headers) in enumerate(records):
        assert builder.append(number, NOW + late, key, value, headers) is not None
    built = bytearray(builder.build())
    built[BASE_AT:SIZE_AT] = base.to_bytes(8, "big")
    return bytes(built)


def one_by_one(content: bytes, wanted: int) -> list[RawRecord]:
    """What aiokafka reads."""
    found = PartitionRecords("t", MemoryRecords(content), None, wanted, None, None, True, 0)
    return [RawRecord(r.offset, r.timestamp, r.value or b"", list(r.headers)) for r in _consumed(found)]


def _consumed(found: PartitionRecords) -> list[Any]:
    found._consumer_record = lambda _, record: record
    return list(found)


def by_column(content: bytes, wanted: int) -> list[RawRecord]:
    """What we read; headers that need no reading are left out."""
    found: list[LogBatch] = list(_BatchesOfPartition("t", _Batches(content), None, wanted, None, None, True, 0))
    return [record._replace(headers=list(record.headers)) for record in read_batches(found)] if found else []


def without_usual(records: list[RawRecord]) -> list[RawRecord]:
    return [record._replace(headers=[]) if list(record.headers) == [USUAL] else record for record in records]


@settings(max_examples=150, deadline=None)
@given(
    batches=st.lists(RECORDS, min_size=1, max_size=4), codec=st.sampled_from(list(CODECS.values())), skipped=st.integers(0, 15)
)
def test_the_same_records(
    batches: list[list[tuple[bytes | None, bytes | None, int, list[tuple[str, bytes | None]]]]], codec: int, skipped: int
) -> None:
    """Any keys, values, headers, times and compression, asked for from any offset on, with a gap between batches."""
    content, base = b"", 1_000
    for records in batches:
        content += batch_bytes(records, base, codec)
        base += len(records) + 3
    wanted = 1_000 + skipped
    assert by_column(content, wanted) == without_usual(one_by_one(content, wanted))


def test_a_batch_has_the_broker_s_time_when_the_topic_says_so() -> None:
    """LogAppendTime: one time for all, in the header's largest timestamp."""
    content = bytearray(batch_bytes([(None, b"a", 5, []), (None, b"b", 6, [])], 7, 0))
    content[22] |= 0x08  # attributes, low byte; the checksum is over them, so it is not asked for
    [batch] = list(_BatchesOfPartition("t", _Batches(bytes(content)), None, 7, None, None, False, 0))
    assert [record.timestamp for record in read_batches([batch])] == [NOW + 6, NOW + 6]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_batch_whose_bytes_are_no_records_is_named(cut: int) -> None:
    """Never a record that was not sent."""
    [batch] = list(
        _BatchesOfPartition(
            "t", _Batches(batch_bytes([(b"key", b"value" * 20, 0, [USUAL])], 7, 0)), None, 7, None, None, True, 0
        )
    )
    with pytest.raises(BrokenBatch, match="from offset 7"):
        read_batches([batch._replace(records=batch.records[:-cut])])
    with pytest.raises(BrokenBatch, match="from offset 7"):
        read_batches([batch._replace(records=batch.records + b"\0" * cut)])


def test_a_format_from_before_kafka_0_11_is_refused() -> None:
    """With what to do."""
    builder = LegacyRecordBatchBuilder(1, 0, 1_000)
    builder.append(0, timestamp=NOW, key=None, value=b"old")
    with pytest.raises(OldFormat, match="messages of format 1, not 2"):
        list(_BatchesOfPartition("t", _Batches(bytes(builder.build())), None, 0, None, None, True, 0))


def test_other_fetchers_of_the_process_are_left_alone() -> None:
    """Only the worker's gives batches."""
    one, other = Fetcher.__new__(Fetcher), Fetcher.__new__(Fetcher)
    hand_out_batches(one)
    names = [fetcher._proc_fetch_request.__func__.__globals__["PartitionRecords"] for fetcher in (one, other)]
    assert names == [_BatchesOfPartition, PartitionRecords]
