"""One record of `citybrain.risk`: an Arrow block of one source partition, accepted rows and rejects together.

The record *is* the ClickHouse block: its boundaries are fixed in the log before the insert. The headers carry what
the ledger needs, so that a reader knows a block without opening it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import BadBlock

SCHEMA_VERSION: Final = 1
MAX_ROWS: Final = 50_000
MAX_BYTES: Final = 16 * 1024 * 1024
"""A block closes at this many rows or raw bytes, or at the block age. An insert writes seven parts, whatever its size: a row
of a full block costs the loader half of what it does in blocks of 4 MiB (docs/decisions/0052)."""

MOST_PARTITION: Final = 65_535
"""A column of the store has no room for more."""
MOST_OFFSET: Final = 2**63 - 1

WORD: Final = pa.dictionary(pa.int32(), pa.string())
MILLIS: Final = pa.timestamp("ms", "UTC")

EVENT_FIELDS: Final[list[pa.Field]] = [
    pa.field("kind", WORD),
    pa.field("source", WORD),
    pa.field("id", pa.string()),
    pa.field("at", MILLIS),  # when it happened, by the source
    pa.field("received_at", MILLIS),  # Kafka's append time
    pa.field("category", WORD),
    pa.field("incident_class", WORD),
    pa.field("classified_by", WORD),  # source | code | terms | none
    pa.field("evidence", WORD),  # the code or the terms that decided
    pa.field("rules_version", WORD),
    pa.field("grid", WORD),  # 15 digits, or "" when not located
    pa.field("located_by", WORD),  # coordinates | grid | place | outside | none
    pa.field("lon", pa.float64()),
    pa.field("lat", pa.float64()),
    pa.field("code", WORD),
    pa.field("severity", pa.int8()),
    pa.field("department", WORD),
    pa.field("case_id", pa.string()),
    pa.field("stage", WORD),
    pa.field("mediation_level", WORD),
    pa.field("device", WORD),
    pa.field("status", WORD),
    pa.field("metrics", pa.list_(pa.string())),
    pa.field("values", pa.list_(pa.float64())),
    pa.field("text", pa.string()),  # null unless the deployment keeps text
    pa.field("body_hash", pa.uint64()),  # of the record as sent; tells a repeat from a conflict
]
REJECT_FIELDS: Final[list[pa.Field]] = [
    pa.field("reject_reason", WORD),  # null on accepted rows; a name from schemas.reasons
    pa.field("reject_detail", pa.string()),
    pa.field("reject_body", pa.binary()),  # JSON without person fields, cut at 64 KiB; null when not JSON
    pa.field("reject_length", pa.int64()),
    pa.field("reject_sha256", pa.string()),
]
BLOCK_SCHEMA: Final = pa.schema([pa.field("source_offset", pa.int64()), *EVENT_FIELDS, *REJECT_FIELDS])


class BlockHeader(NamedTuple):
    """What the ledger keeps of a block. Offsets are of the source partition, both ends included."""

    schema_version: int
    source_topic: str
    source_topic_id: str
    source_partition: int
    first_offset: int
    last_offset: int
    rows: int
    rejected: int

    def to_kafka(self) -> list[tuple[str, bytes]]:
        """As record headers, each value a decimal number or a name in UTF-8."""
        return [(name, str(value).encode()) for name, value in zip(self._fields, self, strict=True)]

    @classmethod
    def from_kafka(cls, headers: Sequence[tuple[str, bytes | None]]) -> BlockHeader:
        """Read record headers. BadBlock when one is missing, not a number, or none that Kafka could have given."""
        found = {name: value.decode(errors="replace") for name, value in headers if value is not None}
        try:
            header = cls(
                schema_version=int(found["schema_version"]),
                source_topic=found["source_topic"],
                source_topic_id=found["source_topic_id"],
                source_partition=int(found["source_partition"]),
                first_offset=int(found["first_offset"]),
                last_offset=int(found["last_offset"]),
                rows=int(found["rows"]),
                rejected=int(found["rejected"]),
            )
        except (KeyError, ValueError) as error:
            message = f"headers of a block: wanted {', '.join(cls._fields)}; got {sorted(found)} ({error!r})"
            raise BadBlock(message) from error
        if not (
            0 <= header.source_partition <= MOST_PARTITION and 0 <= header.first_offset <= header.last_offset <= MOST_OFFSET
        ):
            message = f"headers of a block: partition {header.source_partition}, offsets {header.first_offset} to {header.last_offset}"
            raise BadBlock(message)
        return header


def encode_block(table: pa.Table) -> bytes:
    """Arrow IPC stream, lz4 buffers, of a table with BLOCK_SCHEMA."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def decode_block(value: bytes | None) -> pa.Table:
    """The table in a record's value. BadBlock when the bytes are no Arrow stream, or a column is missing or of another type."""
    if value is None:
        message = "value of a block: wanted an Arrow IPC stream, got none (a tombstone)"
        raise BadBlock(message)
    try:
        table = pa.ipc.open_stream(value).read_all()
        table.validate(full=True)  # else offsets that point outside their buffers come to light as wrong rows, or not at all
    except (pa.ArrowException, OSError, ValueError) as error:  # a name that is not UTF-8 is a ValueError alone
        message = f"value of a block: wanted an Arrow IPC stream, got {len(value)} bytes that are not ({error})"
        raise BadBlock(message) from error
    missing = set(BLOCK_SCHEMA.names) - set(table.schema.names)
    if missing:
        message = f"columns of a block: missing {sorted(missing)}"
        raise BadBlock(message)
    types = {field.name: (field.type, table.schema.field(field.name).type) for field in BLOCK_SCHEMA}
    if wrong := [f"{name} is {got}, wanted {wanted}" for name, (wanted, got) in types.items() if got != wanted]:
        message = f"columns of a block: {'; '.join(wrong)}"
        raise BadBlock(message)
    return table


def open_block(header: BlockHeader, value: bytes | None) -> pa.Table:
    """The table, which is what its headers say. BadBlock: the ledger would say what is not stored, or a row has no place in it."""
    table = decode_block(value)
    offsets = table["source_offset"]
    found = pc.min_max(offsets).as_py()
    if (table.num_rows, found["min"], found["max"]) != (
        header.rows,
        header.first_offset,
        header.last_offset,
    ) or not header.rows:
        message = (
            f"a block: its headers say {header.rows} rows, offsets {header.first_offset} to {header.last_offset}; it has "
            f"{table.num_rows}, {found['min']} to {found['max']}"
        )
        raise BadBlock(message)
    accepted = pc.is_null(table["reject_reason"])
    for name, needed in (
        ("source_offset", True),
        ("received_at", True),
        *((name, accepted) for name in ("source", "id", "at", "body_hash")),
    ):
        if pc.any(pc.and_(pc.is_null(table[name]), needed)).as_py():
            message = f"a block: {name} is missing in a row; wanted one in every {'row' if needed is True else 'accepted row'}"
            raise BadBlock(message)
    shortest = pc.min(table["reject_length"]).as_py()
    if shortest is not None and shortest < 0:
        message = f"a block: reject_length is {shortest} in a row"
        raise BadBlock(message)
    return table
