"""The kitchen: raw records of one source partition in, one block out. Pure: no Kafka, no clock.

validate (fast, then judge) -> locate -> classify -> redact -> one Arrow table with accepted rows and rejects together.
"""

from __future__ import annotations

import gc
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import xxhash

from schemas.block import BLOCK_SCHEMA
from schemas.errors import CitybrainError
from schemas.events import Kind
from schemas.person_fields import person_fields_in
from streams.classify import classify
from streams.columns import RecordColumns, columns_of
from streams.fast import read_fast
from streams.judge import judge, kept_body
from streams.locate import Locator
from streams.plain import look_at
from streams.records import READ_SCHEMA, RawRecord, Reject
from streams.redact import redact
from streams.rules import Rules

log = logging.getLogger(__name__)

THIRTY_YEARS_MS: Final = 30 * 31_557_600_000
TEN_MINUTES_MS: Final = 600_000
MOST_FAILURES: Final = 100
"""So many records in a row that our own code fails on mean broken code, not broken records."""


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What one kind of record is cooked with."""

    kind: Kind
    locator: Locator
    rules: Rules
    keep_text: bool = False


@dataclass(slots=True)
class Cooked:
    """One block and what happened to its records: rows = accepted + rejected, in offset order."""

    table: pa.Table
    rejects: list[Reject] = field(default_factory=list)
    person_fields: dict[str, int] = field(default_factory=dict)


class BrokenCode(CitybrainError):
    """Our own code failed on too many records in a row; the process has to end, Kafka keeps the records."""


def cook(kitchen: Kitchen, records: Sequence[RawRecord]) -> Cooked:
    """Cook a batch; what our own code cannot take whole is cooked record by record.

    BrokenCode when more than MOST_FAILURES records in a row fail: then the fault is ours and nothing is acknowledged.
    """
    try:
        with _collector_paused():
            return _cook(kitchen, columns_of(records))
    except Exception:  # any defect of ours: find the record that shows it
        log.exception("a batch of %d records from offset %d failed; trying record by record", len(records), records[0].offset)
        return _one_by_one(kitchen, records)


def _cook(kitchen: Kitchen, records: RecordColumns) -> Cooked:
    column = records.structured()
    look = look_at(column)
    table, doubtful = read_fast(kitchen.kind, records, column, look.plain)
    values = column.to_pylist()
    judged = [judge(kitchen.kind, records[i], values[i]) for i in doubtful]
    rejects = [verdict for verdict in judged if isinstance(verdict, Reject)]
    rows = [verdict for verdict in judged if not isinstance(verdict, Reject)]
    if rows:
        table = pa.concat_tables([table, pa.Table.from_pylist(rows, READ_SCHEMA)])
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, values), np.uint64, len(values))

    def refuse(frame: pl.DataFrame, reason: str, detail: Callable[[dict[str, Any]], str]) -> None:
        for row in frame.select("source_offset", "at", "received_at", "lon", "lat").iter_rows(named=True):
            at = int(np.searchsorted(records.offsets, row["source_offset"]))
            record, body = records[at], kept_body(orjson.loads(values[at]))
            rejects.append(Reject(record.offset, record.timestamp, reason, detail(row), body, record.value or b""))

    frame = _frame(table)
    late = pl.col("at") - pl.col("received_at")
    untimely = (late > TEN_MINUTES_MS) | (late < -THIRTY_YEARS_MS)
    refuse(frame.filter(untimely), "time_out_of_range", _untimely)
    frame = frame.filter(~untimely).sort("source_offset")
    where = kitchen.locator.locate(
        frame["lon"].fill_null(float("nan")).to_numpy(),
        frame["lat"].fill_null(float("nan")).to_numpy(),
        frame["grid"],
        frame["place"],
    )
    frame = frame.with_columns(where.grid.alias("grid"), where.located_by.alias("located_by"))
    refuse(frame.filter(where.swapped), "invalid_position", _swapped)
    frame = frame.filter(~where.swapped)
    classes = classify(frame, kitchen.rules)
    frame = frame.with_columns(
        *classes,
        kind=pl.lit(kitchen.kind),
        rules_version=pl.lit(kitchen.rules.version),
        text=redact(frame["text"], keep=kitchen.keep_text),
        body_hash=hashes[np.searchsorted(records.offsets, frame["source_offset"].to_numpy())],
        at=pl.from_epoch("at", "ms").dt.replace_time_zone("UTC"),
        received_at=pl.from_epoch("received_at", "ms").dt.replace_time_zone("UTC"),
    )
    return Cooked(_block(frame, rejects), rejects, _count_person_fields(values[at] for at in look.persons))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - narrows the type: a table never gives a Series
    return frame


def _untimely(row: dict[str, Any]) -> str:
    return f"time: {row['at']} ms since 1970; arrived {row['received_at']}; taken from 30 years back to 10 minutes ahead"


def _swapped(row: dict[str, Any]) -> str:
    return f"data.position: lon {row['lon']}, lat {row['lat']} lie in the city only when exchanged; send lon first, then lat"


def _block(frame: pl.DataFrame, rejects: Sequence[Reject]) -> pa.Table:
    """Accepted rows and rejects as one table of BLOCK_SCHEMA in offset order."""
    absent = [name for name in BLOCK_SCHEMA.names if name not in frame.columns]
    accepted = frame.with_columns(pl.lit(None).alias(name) for name in absent).select(BLOCK_SCHEMA.names).to_arrow()
    parts = [_to_schema(accepted)]
    if rejects:
        parts.append(pa.Table.from_pylist([_reject_row(reject) for reject in rejects], _plain_schema()).cast(BLOCK_SCHEMA))
    table = pa.concat_tables(parts)
    return table.sort_by("source_offset").unify_dictionaries().combine_chunks() if rejects else table


def _to_schema(table: pa.Table) -> pa.Table:
    columns = []
    for wanted in BLOCK_SCHEMA:
        column = table[wanted.name].combine_chunks()
        if pa.types.is_dictionary(wanted.type):
            column = column.cast(pa.string()).dictionary_encode()
        columns.append(column.cast(wanted.type))
    return pa.Table.from_arrays(columns, schema=BLOCK_SCHEMA)


def _plain_schema() -> pa.Schema:
    return pa.schema([
        pa.field(wanted.name, pa.string() if pa.types.is_dictionary(wanted.type) else wanted.type) for wanted in BLOCK_SCHEMA
    ])  # fmt: skip


def _reject_row(reject: Reject) -> dict[str, Any]:
    return {
        "source_offset": reject.offset,
        "received_at": reject.timestamp,
        "reject_reason": reject.reason,
        "reject_detail": reject.detail,
        "reject_body": reject.body,
        "reject_length": len(reject.value),
        "reject_sha256": hashlib.sha256(reject.value).hexdigest(),
    }


def _count_person_fields(values: Iterable[bytes]) -> dict[str, int]:
    """How often each person field was sent, in records that may hold one."""
    return dict(Counter(name for value in values for name in _names_in(value)))


def _names_in(value: bytes) -> Iterator[str]:
    try:
        yield from person_fields_in(orjson.loads(value))
    except orjson.JSONDecodeError:
        return


def _one_by_one(kitchen: Kitchen, records: Sequence[RawRecord]) -> Cooked:
    parts: list[Cooked] = []
    in_a_row = 0
    for record in records:
        try:
            parts.append(_cook(kitchen, columns_of([record])))
            in_a_row = 0
        except Exception as error:
            in_a_row += 1
            if in_a_row > MOST_FAILURES:
                message = f"{in_a_row} records in a row failed, last at offset {record.offset}"
                raise BrokenCode(message) from error
            reject = Reject(record.offset, record.timestamp, "internal_error", type(error).__name__, None, record.value or b"")
            parts.append(Cooked(_block(_frame(READ_SCHEMA.empty_table()), [reject]), [reject]))
    table = pa.concat_tables([part.table for part in parts]).unify_dictionaries().combine_chunks()
    counts: dict[str, int] = {}
    for part in parts:
        for name, number in part.person_fields.items():
            counts[name] = counts.get(name, 0) + number
    return Cooked(table, [reject for part in parts for reject in part.rejects], counts)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python's garbage collector costs four fifths of a large batch's time (design.md, costs); collect between batches."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
