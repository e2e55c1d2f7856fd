"""The fast path: a whole batch read as Arrow columns. It accepts only what `judge` would accept alike.

Every doubt sends a record to the judge, so a check here may be stricter than the contract, never laxer.
A property test (tests/streams/test_fast_equals_judge.py) holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, reduce
from typing import Any, Final, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from numpy.typing import NDArray

from schemas.events import EVENT_MODELS, EVENT_TYPES, DeviceStatus, Kind, MediationLevel, Stage
from schemas.taxonomy import taxonomy
from streams.arrow_contract import arrow_schema
from streams.columns import RecordColumns
from streams.records import READ_SCHEMA

Positions = NDArray[np.intp]
PLAIN_TIME: Final = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
METRIC: Final = r"^[a-z][a-z0-9_.]{0,63}$"
NAMED_ROW: Final = re.compile(r" in row (\d+)$")
MOST_NAMED: Final = 64
"""Refusals of a batch that are followed to the row Arrow names; after that parts are halved."""
LARGEST_PART: Final = 4_000
"""Records Arrow reads in one call, as long as it takes them all: the call itself is a tenth of the cost of a thousand."""
PART: Final = 1_000
"""Records of a call after a refusal, so that one more costs its neighbours little."""
SMALLEST_PART: Final = 32
"""A part this small that Arrow refuses goes to the judge record by record."""


def read_fast(
    kind: Kind, records: RecordColumns, values: pa.BinaryArray, plain: NDArray[np.bool_]
) -> tuple[pa.Table, list[int]]:
    """(rows of READ_SCHEMA that are surely good, positions the judge has to see).

    `values`: the records, structured; `plain`: which of them Arrow may read (`plain.look_at`).
    """
    positions = np.flatnonzero(plain)
    tables, doubtful = _read_parts(kind, records, values, positions)
    doubtful.extend(np.flatnonzero(~plain).tolist())
    return pa.concat_tables(tables) if tables else READ_SCHEMA.empty_table(), doubtful


def _read_parts(
    kind: Kind, records: RecordColumns, values: pa.BinaryArray, positions: Positions
) -> tuple[list[pa.Table], list[int]]:
    """Read; where Arrow refuses a part, go on around the record it names, so that one costs its neighbours little."""
    tables: list[pa.Table] = []
    read: list[Positions] = []
    doubtful: list[int] = []
    parts = _cut(positions, LARGEST_PART)
    named = 0
    while parts:
        part = parts.pop()
        table, row = _parse(kind, _lines(values, part))
        if table is not None and table.num_rows == len(part):
            tables.append(table)
            read.append(part)
            continue
        if len(part) <= SMALLEST_PART:
            doubtful.extend(part.tolist())
            continue
        if row is not None and row < len(part) and named < MOST_NAMED:
            named += 1
            # What follows a closed record is named as the next row: its neighbour before is as doubtful.
            first = max(row - 1, 0)
            doubtful.extend(part[first : row + 1].tolist())
            around = [*_cut(part[row + 1 :], PART), *_cut(part[:first], PART)]
        else:
            around = [part[len(part) // 2 :], part[: len(part) // 2]]
        parts.extend(around)
    if not tables:
        return [], doubtful
    taken = np.concatenate(read)
    flat, good = _flatten(kind, pa.concat_tables(tables), records, taken)
    if not good.all():
        doubtful.extend(taken[~good].tolist())
        flat = flat.filter(pa.array(good))
    return [flat], doubtful


def _cut(positions: Positions, most: int) -> list[Positions]:
    """Parts of at most so many, the last one first: the next one is taken from the end."""
    return [positions[first : first + most] for first in range(0, len(positions), most)][::-1]


def _lines(values: pa.BinaryArray, part: Positions) -> pa.Buffer:
    """These values as lines."""
    taken = values[part[0] : part[-1] + 1] if part[-1] - part[0] < len(part) else values.take(pa.array(part))
    bounds = pa.array([0, len(taken)], pa.int32())
    return pc.binary_join(pa.ListArray.from_arrays(bounds, taken), b"\n")[0].as_buffer()


def _parse(kind: Kind, lines: pa.Buffer) -> tuple[pa.Table | None, int | None]:
    """(table, None), or (None, the row Arrow names in its refusal, if it names one)."""
    try:
        table = pj.read_json(
            pa.BufferReader(lines),
            read_options=pj.ReadOptions(use_threads=False, block_size=max(lines.size + 1, 1024)),
            parse_options=pj.ParseOptions(explicit_schema=_contract(kind), unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid as error:
        named = NAMED_ROW.search(str(error))
        return None, int(named.group(1)) if named else None
    return table, None


@cache
def _contract(kind: Kind) -> pa.Schema:
    return arrow_schema(EVENT_MODELS[kind])


def _flatten(kind: Kind, table: pa.Table, records: RecordColumns, at: Positions) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Flat columns of a parsed batch and which rows keep the contract. Values of other rows mean nothing."""
    event = table.combine_chunks().to_struct_array()
    event = event.combine_chunks() if isinstance(event, pa.ChunkedArray) else event
    data = pc.struct_field(event, "data")

    def attribute(name: str) -> Any:
        return pc.struct_field(event, name)

    def field(*path: str) -> Any:
        """A field of data; null where data or an outer field is null, or the kind has no such field."""
        array = data
        for name in path:
            if array.type.get_field_index(name) < 0:
                return pa.nulls(len(event), pa.string())
            array = pc.struct_field(array, name)
        return array

    checks = [
        pc.is_valid(data),
        pc.equal(attribute("specversion"), "1.0"),
        pc.equal(attribute("type"), EVENT_TYPES[kind]),
        _length(attribute("id"), 1, 200),
        _length(attribute("source"), 1, 200),
        pc.match_substring_regex(attribute("time"), PLAIN_TIME),
    ]
    optional = [
        _length(field("place"), 1, 200),
        _length(field("code"), 1, 200),
        _length(field("department"), 1, 200),
        _length(field("case_id"), 1, 200),
        _length(field("text"), 0, 4000),
        pc.match_substring_regex(field("grid"), "^[0-9]{15}$"),
        _among(field("incident_class"), taxonomy().classes),
        _among(field("stage"), get_args(Stage)),
        _among(field("mediation_level"), get_args(MediationLevel)),
        _among(field("status"), get_args(DeviceStatus)),
    ]
    severity = _as(field("severity"), pa.int64())
    optional.append(_between(severity, 0, 4))
    position = field("position")
    lon, lat = field("position", "lon"), field("position", "lat")
    placed = pc.and_(_between(lon, -180, 180), _between(lat, -90, 90))
    placed = pc.and_(placed, pc.or_(pc.not_equal(lon, 0.0), pc.not_equal(lat, 0.0)))
    good = _all_true(checks) & _all_true_or_null(optional)
    good &= pc.or_(pc.is_null(position), pc.fill_null(placed, False)).to_numpy(zero_copy_only=False)
    metrics, values = _empty_lists(len(event), pa.string()), _empty_lists(len(event), pa.float64())
    if kind == "sensor":
        good &= _all_true([_length(field("device"), 1, 200)])
        metrics, values, readings_good = _readings(field("readings"))
        good &= readings_good
    happened, timed = _milliseconds(attribute("time"), good)
    good &= timed
    columns = {
        "source_offset": pa.array(records.offsets[at], pa.int64()),
        "received_at": pa.array(records.timestamps[at], pa.int64()),
        "source": attribute("source"),
        "id": attribute("id"),
        "at": happened,
        "lon": _as(lon, pa.float64()),
        "lat": _as(lat, pa.float64()),
        "severity": pc.if_else(pa.array(good), severity, pa.scalar(None, pa.int64())).cast(pa.int8()),
        "metrics": metrics,
        "values": values,
    }
    arrays = [columns[name] if name in columns else field(name) for name in READ_SCHEMA.names]
    return pa.Table.from_arrays(arrays, schema=READ_SCHEMA), good


def _readings(readings: Any) -> tuple[pa.Array, pa.Array, NDArray[np.bool_]]:
    """Metrics, values and soundness of a list<struct<metric, value, unit>> column; null means none."""
    counts = pc.fill_null(pc.list_value_length(readings), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    items = readings.flatten()
    metric, value = pc.struct_field(items, "metric"), pc.struct_field(items, "value")
    sound = _all_true([pc.is_valid(items), pc.match_substring_regex(metric, METRIC), _between(value, -1e15, 1e15)])
    sound &= _all_true_or_null([_length(pc.struct_field(items, "unit"), 0, 20)])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    bad_before = np.concatenate([[0], np.cumsum(~sound)])
    good = (bad_before[offsets[1:]] - bad_before[offsets[:-1]] == 0) & (counts <= 64)
    starts = pa.array(offsets, pa.int32())
    return pa.ListArray.from_arrays(starts, metric), pa.ListArray.from_arrays(starts, value), good


def _milliseconds(times: Any, good: NDArray[np.bool_]) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Milliseconds since 1970 of RFC 3339 texts; a text the calendar does not know (30 February) is not good."""
    readable = pc.if_else(pa.array(good), times, "1970-01-01T00:00:00Z")
    micros = pa.timestamp("us", "UTC")
    try:
        instants = pc.cast(readable, micros)
    except pa.ArrowInvalid:
        one_by_one = [_instant(text) for text in readable.to_pylist()]
        timed = np.array([instant is not None for instant in one_by_one], bool)
        instants = pa.array([instant or 0 for instant in one_by_one], pa.int64()).cast(micros)
    else:
        timed = np.ones(len(good), bool)
    whole = np.floor_divide(instants.cast(pa.int64()).to_numpy(), 1000)
    return pa.array(whole, pa.int64()), timed


def _instant(text: str) -> int | None:
    try:
        return int(pc.cast(pa.scalar(text), pa.timestamp("us", "UTC")).cast(pa.int64()).as_py())
    except pa.ArrowInvalid:
        return None


def _length(column: Any, least: int, most: int) -> Any:
    return _between(pc.utf8_length(column), least, most)


def _between(column: Any, low: float, high: float) -> Any:
    return pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))


def _among(column: Any, words: Any) -> Any:
    return pc.if_else(pc.is_null(column), pa.scalar(None, pa.bool_()), pc.is_in(column, pa.array(list(words))))


def _as(column: Any, kind: pa.DataType) -> Any:
    return column if column.type == kind else column.cast(kind)


def _empty_lists(rows: int, kind: pa.DataType) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), pa.array([], kind))


def _all_true(checks: Sequence[Any]) -> NDArray[np.bool_]:
    return _collect(checks, null_is=False)


def _all_true_or_null(checks: Sequence[Any]) -> NDArray[np.bool_]:
    return _collect(checks, null_is=True)


def _collect(checks: Sequence[Any], *, null_is: bool) -> NDArray[np.bool_]:
    filled = [pc.fill_null(check, null_is).to_numpy(zero_copy_only=False) for check in checks]
    return reduce(np.logical_and, filled)
