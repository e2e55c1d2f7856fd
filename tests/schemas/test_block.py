"""Blocks: an Arrow table there and back, headers there and back, and bad bytes by name."""

from __future__ import annotations

import string
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.block import (
    BLOCK_SCHEMA,
    EVENT_FIELDS,
    MAX_BYTES,
    MAX_ROWS,
    MOST_PARTITION,
    REJECT_FIELDS,
    BlockHeader,
    decode_block,
    encode_block,
)
from schemas.errors import BadBlock, CitybrainError

QUICK = settings(derandomize=True, deadline=None, max_examples=60)
words = st.text(max_size=6)
MILLIS = st.integers(0, 4_000_000_000_000)


def value_of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Any value of an Arrow type of the block, or none."""
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return st.none() | words
    if pa.types.is_timestamp(kind):
        return st.none() | MILLIS
    if pa.types.is_floating(kind):
        return st.none() | st.floats(allow_nan=False)
    if pa.types.is_binary(kind):
        return st.none() | st.binary(max_size=6)
    if pa.types.is_list(kind):
        return st.none() | st.lists(words if pa.types.is_string(kind.value_type) else st.floats(allow_nan=False), max_size=3)
    limits = {pa.int8(): (-128, 127), pa.int64(): (-(2**63), 2**63 - 1), pa.uint64(): (0, 2**64 - 1)}[kind]
    return st.none() | st.integers(*limits)


def plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


rows = st.fixed_dictionaries({field.name: value_of(field.type) for field in BLOCK_SCHEMA})
tables = st.lists(rows, max_size=5).map(
    lambda some: pa.Table.from_pylist(some, pa.schema([pa.field(f.name, plain(f.type)) for f in BLOCK_SCHEMA])).cast(
        BLOCK_SCHEMA
    )
)
names = st.text(string.ascii_lowercase + ".-", min_size=1, max_size=12)
numbers = st.integers(0, 2**63 - 1)
headers = st.tuples(numbers, names, names, st.integers(0, MOST_PARTITION), numbers, numbers, numbers, numbers).map(
    lambda drawn: BlockHeader(*drawn[:4], *sorted(drawn[4:6]), *drawn[6:])
)


@given(tables)
@QUICK
def test_a_block_survives_the_log(table: pa.Table) -> None:
    back = decode_block(encode_block(table))
    assert back.schema == BLOCK_SCHEMA
    assert back.to_pylist() == table.to_pylist()


@given(headers)
@QUICK
def test_headers_survive_the_log(header: BlockHeader) -> None:
    assert BlockHeader.from_kafka(header.to_kafka()) == header


def test_headers_are_readable_by_people_and_other_programs() -> None:
    header = BlockHeader(1, "citybrain.grid", "x-1", 0, 5, 9, 5, 1)
    assert header.to_kafka() == [
        ("schema_version", b"1"), ("source_topic", b"citybrain.grid"), ("source_topic_id", b"x-1"), ("source_partition", b"0"),
        ("first_offset", b"5"), ("last_offset", b"9"), ("rows", b"5"), ("rejected", b"1"),
    ]  # fmt: skip


@pytest.mark.parametrize("position", range(8))
@pytest.mark.parametrize("content", ["missing", None, b"\xff", b"", b"1.5"])
def test_a_wrong_header_is_a_bad_block(position: int, content: Any) -> None:
    """Every header counts; names may be anything that is text."""
    good = BlockHeader(1, "citybrain.grid", "x-1", 0, 5, 9, 5, 1).to_kafka()
    name, _ = good[position]
    bad: list[tuple[str, bytes | None]] = [pair for pair in good if pair[0] != name]
    if content != "missing":
        bad.insert(position, (name, content))
    if name in {"source_topic", "source_topic_id"} and isinstance(content, bytes):
        assert BlockHeader.from_kafka(bad)
        return
    with pytest.raises(BadBlock, match="headers of a block: wanted schema_version"):
        BlockHeader.from_kafka(bad)


def test_strange_headers_beside_ours_are_no_harm() -> None:
    header = BlockHeader(1, "citybrain.grid", "x-1", 0, 5, 9, 5, 1)
    assert BlockHeader.from_kafka([("trace", b"\xff\xfe"), ("empty", None), *header.to_kafka()]) == header


WHOLE = encode_block(BLOCK_SCHEMA.empty_table())


@pytest.mark.parametrize("value", [b"", b"\0", b"{}", b"ARROW1\0\0", WHOLE[:20], WHOLE[: len(WHOLE) // 2], b"x" + WHOLE])
def test_bytes_that_are_no_block_are_a_bad_block(value: bytes) -> None:
    with pytest.raises(BadBlock, match=f"wanted an Arrow IPC stream, got {len(value)} bytes"):
        decode_block(value)


@given(st.binary(max_size=200))
@QUICK
def test_any_other_bytes_are_a_bad_block(value: bytes) -> None:
    with pytest.raises(BadBlock):
        decode_block(value)


@pytest.mark.parametrize("name", BLOCK_SCHEMA.names)
def test_a_missing_column_is_named(name: str) -> None:
    with pytest.raises(BadBlock, match=rf"missing \['{name}'\]"):
        decode_block(encode_block(BLOCK_SCHEMA.empty_table().drop_columns([name])))


def test_a_newer_block_may_have_more_columns() -> None:
    newer = BLOCK_SCHEMA.empty_table().append_column("later", pa.array([], pa.int8()))
    assert "later" in decode_block(encode_block(newer)).column_names


def test_a_bad_block_is_an_error_of_ours_and_not_to_be_tried_again() -> None:
    assert issubclass(BadBlock, CitybrainError)
    assert not BadBlock.retryable


def test_each_column_stands_once_and_an_accepted_row_has_no_reject_field() -> None:
    assert len(set(BLOCK_SCHEMA.names)) == len(BLOCK_SCHEMA.names) == 1 + len(EVENT_FIELDS) + len(REJECT_FIELDS)
    assert all(field.name.startswith("reject_") for field in REJECT_FIELDS)
    assert not any(field.name.startswith("reject_") for field in EVENT_FIELDS)


def test_words_are_dictionaries_and_lz4_keeps_a_full_block_small() -> None:
    """A full block of repeated words: far below Kafka's limit."""
    row = {"source_offset": 1, "kind": "sensor", "source": "s" * 40, "incident_class": "U00", "metrics": ["a"], "values": [1.0]}
    schema = pa.schema([pa.field(f.name, plain(f.type)) for f in BLOCK_SCHEMA])
    table = pa.Table.from_pylist([row] * MAX_ROWS, schema).cast(BLOCK_SCHEMA)
    assert len(encode_block(table)) < MAX_BYTES / 8
