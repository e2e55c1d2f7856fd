"""Kafka's record batches as columns: the bytes that the broker keeps, read without a Python object for each record.

Format (Kafka protocol, record batch of magic 2), each record of the uncompressed part:
length varint | attributes int8 | timestamp delta varint | offset delta varint | key | value | headers,
where key and value are a varint length (-1: none) and bytes, and varints are zigzag, seven bits a byte, lowest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.errors import CitybrainError
from streams.columns import RecordColumns
from streams.records import USUAL, Headers

Ints = NDArray[np.int64]
ATTRIBUTES_BYTES: Final = 1
MOST_BITS: Final = 70


class BrokenBatch(CitybrainError):
    """A record batch whose checksum is right and whose content is not; the text says where."""


class LogBatch(NamedTuple):
    """One record batch. `records`: their bytes, uncompressed. `log_append_time`: that of all records, or -1 where each has its own.

    `wanted`: the first offset that was asked for; a batch may begin before it.
    """

    base_offset: int
    last_offset: int
    rows: int
    first_timestamp: int
    log_append_time: int
    wanted: int
    records: bytes


def read_batches(batches: Sequence[LogBatch]) -> RecordColumns:
    """The records that were asked for, of batches of one partition in order. BrokenBatch when the bytes are no records."""
    try:
        return _read(batches)
    except IndexError:
        message = f"a record of the batches from offset {batches[0].base_offset} ends after them"
        raise BrokenBatch(message) from None


def _read(batches: Sequence[LogBatch]) -> RecordColumns:
    content = b"".join([batch.records for batch in batches])
    starts, ends = _bounds(content, batches)
    data = np.frombuffer(content, np.uint8)
    delta, at = _varints(data, starts + ATTRIBUTES_BYTES)
    offset, at = _varints(data, at)
    key_length, at = _varints(data, at)
    value_length, value_at = _varints(data, at + np.maximum(key_length, 0))
    value_end = value_at + np.maximum(value_length, 0)
    if not (value_end <= ends).all():
        message = f"a value ends after its record, in the batches from offset {batches[0].base_offset}"
        raise BrokenBatch(message)
    counts = [batch.rows for batch in batches]
    offsets = np.repeat(np.array([batch.base_offset for batch in batches], np.int64), counts) + offset
    appended = np.repeat(np.array([batch.log_append_time for batch in batches], np.int64), counts)
    created = np.repeat(np.array([batch.first_timestamp for batch in batches], np.int64), counts) + delta
    values, tails = _slices(content, value_at, value_end, ends)
    unusual = np.flatnonzero(~pc.is_in(tails, USUAL_TAILS).to_numpy(zero_copy_only=False))
    headers = {int(offsets[i]): _headers(content, int(value_end[i])) for i in unusual.tolist()}
    found = RecordColumns(offsets, np.where(appended >= 0, appended, created), values, headers)
    return found[int(np.searchsorted(offsets, batches[0].wanted)) :]


def _bounds(content: bytes, batches: Sequence[LogBatch]) -> tuple[Ints, Ints]:
    """Where each record begins, behind its length, and where it ends."""
    places: list[int] = []
    at = closed = 0
    for batch in batches:
        for _ in range(batch.rows):  # the one loop over records: nearly every length has two bytes
            places.append(at)
            low, high = content[at], content[at + 1]
            if low >= 0x80 > high:
                at += 2 + ((low & 0x7F | high << 7) >> 1)
            else:
                length, at = _varint(content, at)
                at += length
        closed += len(batch.records)
        if at != closed:
            message = f"the records of the batch from offset {batch.base_offset} end at byte {at}, the batch at {closed}"
            raise BrokenBatch(message)
    lengths, starts = _varints(np.frombuffer(content, np.uint8), np.array(places, np.int64))
    return starts, starts + lengths


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """The signed number that begins here, and where what follows begins."""
    byte = content[at]
    number, at, shift = byte & 0x7F, at + 1, 7
    while byte & 0x80:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return (number >> 1) ^ -(number & 1), at


def _varints(data: NDArray[np.uint8], at: Ints) -> tuple[Ints, Ints]:
    """The signed numbers that begin at these places, and where what follows each begins."""
    byte = data[at].astype(np.int64)
    number, at, shift = byte & 0x7F, at + 1, 7
    longer = np.flatnonzero(byte & 0x80)
    while len(longer):
        if shift >= MOST_BITS:
            message = "a number of more than ten bytes"
            raise BrokenBatch(message)
        byte = data[at[longer]].astype(np.int64)
        number[longer] |= (byte & 0x7F) << shift
        at[longer] += 1
        longer = longer[(byte & 0x80) != 0]
        shift += 7
    return (number >> 1) ^ -(number & 1), at


def _slices(content: bytes, value_at: Ints, value_end: Ints, ends: Ints) -> tuple[pa.BinaryArray, pa.BinaryArray]:
    """Values, and what follows them in their records: of the pieces between all bounds, the second and third of each three."""
    bounds = np.column_stack([value_at, value_end, ends]).ravel()
    offsets = np.concatenate([[0], bounds]).astype(np.int32)
    pieces = pa.BinaryArray.from_buffers(pa.binary(), len(bounds), [None, pa.py_buffer(offsets), pa.py_buffer(content)])
    return tuple(pieces.take(pa.array(np.arange(first, len(bounds), 3))) for first in (1, 2))


def _headers(content: bytes, at: int) -> Headers:
    count, at = _varint(content, at)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        length, at = _varint(content, at)
        name, at = content[at : at + length].decode(errors="replace"), at + length
        length, at = _varint(content, at)
        headers.append((name, content[at : at + length] if length >= 0 else None))
        at += max(0, length)
    return headers


def _tail(headers: Headers) -> bytes:
    """Headers as they stand in a record, each part shorter than 64 bytes."""
    parts = [bytes([2 * len(headers)])]
    for name, content in headers:
        parts += [bytes([2 * len(name)]), name.encode(), bytes([2 * len(content or b"")]), content or b""]
    return b"".join(parts)


USUAL_TAILS: Final = pa.array([_tail([]), _tail([USUAL])], pa.binary())
"""Headers that need no reading: none, and the one nearly every event has."""
