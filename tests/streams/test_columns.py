"""Records by the column are the records, in blocks that are small enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.columns import RecordColumns, columns_of, joined
from streams.records import USUAL, Headers, RawRecord

BINARY = [("ce_specversion", b"1.0"), ("ce_id", b"7"), ("content-type", b"application/json")]


def record(offset: int, value: bytes = b"{}", headers: Headers | None = None) -> RawRecord:
    return RawRecord(offset, 1_000 + offset, value, headers or [])


def test_a_record_comes_back_as_it_was() -> None:
    """Without the headers that nobody reads."""
    columns = columns_of([record(3), record(4, b"x", [USUAL]), record(9, b"{}", BINARY)])
    assert list(columns) == [record(3)._replace(headers=()), record(4, b"x")._replace(headers=()), record(9, b"{}", BINARY)]
    assert columns_of(columns) is columns


def test_a_record_sent_in_binary_mode_becomes_structured_and_its_neighbours_stay() -> None:
    """In a part of the columns too."""
    columns = columns_of([record(1, b"a"), record(2, b'{"place":"x"}', BINARY), record(3, b"c")])[1:]
    assert columns.structured().to_pylist() == [b'{"specversion":"1.0","id":"7","data":{"place":"x"}}', b"c"]


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 7), st.integers(0, 60))
def test_blocks(values: list[bytes], rows: int, size: int) -> None:
    """All records in order, no block over its bounds unless it is of one record, and none could take its next one."""
    columns = columns_of(record(offset, value) for offset, value in enumerate(values))
    blocks = list(columns.in_blocks(rows, size))
    assert [found for block in blocks for found in block] == list(columns)
    bytes_of = [sum(len(found.value or b"") for found in block) for block in blocks]
    for number, block in enumerate(blocks):
        assert len(block) == 1 or (len(block) <= rows and bytes_of[number] <= size)
        if number + 1 < len(blocks):
            assert len(block) == rows or bytes_of[number] + len(blocks[number + 1][0].value or b"") > size


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_parts_joined_are_the_whole(cut: int) -> None:
    """Headers included."""
    columns = columns_of([record(1, b"a"), record(2, b"b", BINARY), record(3, b"c")])
    again: RecordColumns = joined([columns[:cut], columns[cut:]])
    assert list(again) == list(columns)
