"""Records of one partition by the column: what a block is cooked from, without a Python object for each record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.records import USUAL, Headers, RawRecord, structured


@dataclass(frozen=True, slots=True)
class RecordColumns(Sequence[RawRecord]):
    """Records in the order of their offsets. `timestamps`: Kafka's append time, milliseconds since 1970 UTC.

    `headers` by offset, of those records alone whose headers have to be read (`structured`). A record without value is b"".
    """

    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: pa.BinaryArray
    headers: Mapping[int, Headers]

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, at: int) -> RawRecord: ...
    @overload
    def __getitem__(self, at: slice) -> RecordColumns: ...
    def __getitem__(self, at: int | slice) -> RawRecord | RecordColumns:
        if isinstance(at, slice):
            first, last, step = at.indices(len(self))
            assert step == 1  # noqa: S101 - records stay in the order of the log
            return RecordColumns(
                self.offsets[first:last], self.timestamps[first:last], self.values[first : max(first, last)], self.headers
            )
        offset = int(self.offsets[at])
        return RawRecord(offset, int(self.timestamps[at]), self.values[at].as_py(), self.headers.get(offset, ()))

    def in_blocks(self, rows: int, size: int) -> Iterator[RecordColumns]:
        """Parts of at most `rows` records and `size` bytes of values, but of one record at least."""
        ends = lengths_of(self.values).cumsum()
        first, before = 0, 0
        while first < len(self):
            fitting = int(np.searchsorted(ends, before + size, side="right"))
            last = max(first + 1, min(first + rows, fitting))
            yield self[first:last]
            first, before = last, int(ends[last - 1])

    def structured(self) -> pa.BinaryArray:
        """Each record as a structured-mode CloudEvent, whatever mode it was sent in."""
        at = np.flatnonzero(np.isin(self.offsets, list(self.headers))).tolist() if self.headers else []
        if not at:
            return self.values
        values = self.values.to_pylist()
        for i in at:
            values[i] = structured(self[i])
        return pa.array(values, pa.binary())


def columns_of(records: Iterable[RawRecord]) -> RecordColumns:
    """The same records by the column."""
    if isinstance(records, RecordColumns):
        return records
    records = list(records)
    return RecordColumns(
        np.fromiter((record.offset for record in records), np.int64, len(records)),
        np.fromiter((record.timestamp for record in records), np.int64, len(records)),
        pa.array([record.value or b"" for record in records], pa.binary()),
        {record.offset: record.headers for record in records if record.headers and USUAL not in record.headers},
    )


def joined(parts: Sequence[RecordColumns]) -> RecordColumns:
    """Parts one after the other."""
    if len(parts) == 1:
        return parts[0]
    return RecordColumns(
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.timestamps for part in parts]),
        pa.concat_arrays([part.values for part in parts]),
        {offset: headers for part in parts for offset, headers in part.headers.items()},
    )


def lengths_of(values: pa.BinaryArray) -> NDArray[np.int64]:
    """Bytes of each value."""
    return np.diff(bounds_of(values)).astype(np.int64)


def bounds_of(values: pa.BinaryArray) -> NDArray[np.int32]:
    """Where each value begins in the array's content, and where the last one ends."""
    return np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1]
