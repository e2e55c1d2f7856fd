"""aiokafka's fetcher, made to hand out whole record batches where it hands out records.

aiokafka makes two Python objects of each record, which costs 2 microseconds; read by the column (`log_batches`) it is a
third of one. Checksums, aborted transactions, control batches and the position stay aiokafka's.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any, Final

from aiokafka.consumer.fetcher import Fetcher, PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from schemas.errors import CitybrainError
from streams.log_batches import LogBatch

MAGIC_AT: Final = 16
MAGIC: Final = 2
"""Format of record batches since Kafka 0.11; Kafka 4 knows no other."""


class OldFormat(CitybrainError):
    """A topic holds messages in a format from before Kafka 0.11."""


class WholeBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final to type checkers; it is all there is to read a header
    """A record batch that is its own and only record."""

    def __iter__(self) -> Iterator[WholeBatch]:
        self._maybe_uncompress()
        return iter((self,) if self._num_records else ())

    @property
    def offset(self) -> int:
        """Of its last record."""
        return int(self.next_offset) - 1


class _Batches(_MemoryRecordsPy):  # type: ignore[misc]  # aiokafka has no types here
    """The bytes of one answer, cut into batches."""

    def next_batch(self, *_: Any) -> WholeBatch | None:
        taken = self._next_slice
        if taken is None:
            return None
        if taken[MAGIC_AT] != MAGIC:
            message = (
                f"messages of format {taken[MAGIC_AT]}, not {MAGIC}: let a broker from Kafka 0.11 on write the topic again"
            )
            raise OldFormat(message)
        self._cache_next()
        return WholeBatch(taken)


class _BatchesOfPartition(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types here
    """Gives a LogBatch for each batch."""

    def _consumer_record(self, _: Any, batch: WholeBatch) -> LogBatch:
        return LogBatch(
            base_offset=batch.base_offset,
            last_offset=batch.offset,
            rows=batch._num_records,  # noqa: SLF001  nothing public tells
            first_timestamp=batch.first_timestamp,
            log_append_time=batch.max_timestamp if batch.timestamp_type == batch.LOG_APPEND_TIME else -1,
            wanted=self.next_fetch_offset,
            records=bytes(batch._buffer[batch._pos :]),  # noqa: SLF001
        )


def hand_out_batches(fetcher: Fetcher) -> None:
    """Let this fetcher, and no other of the process, give batches: its answers are read with our two classes."""
    reading = Fetcher._proc_fetch_request  # noqa: SLF001  one method of 150 lines makes both objects
    names = reading.__globals__ | {"MemoryRecords": _Batches, "PartitionRecords": _BatchesOfPartition}
    ours = FunctionType(reading.__code__, names, reading.__name__, reading.__defaults__, reading.__closure__)
    fetcher._proc_fetch_request = MethodType(ours, fetcher)  # noqa: SLF001
