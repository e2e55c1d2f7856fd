"""Rows of CSV, NDJSON and Parquet files, one at a time, with the number each row has in its file.

By the file's ending: .csv .tsv .ndjson .jsonl .parquet; text files also as .gz and .zst. Rows are numbered from 1; a header
is no row. A row that is broken by itself comes with `problem` set; a file that cannot be read on raises BadMapping.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from schemas.errors import BadMapping

PACKED: Final = (".gz", ".zst")
LONGEST_CELL: Final = 16_777_216
"""Characters of one CSV cell; a longer one means that a quotation mark was never closed."""


class Row(NamedTuple):
    """One row. `cells` is by column name; `problem` is a word when the row itself is broken."""

    number: int
    cells: dict[str, Any]
    problem: str | None = None


def read_rows(path: Path, *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Iterator[Row]:
    """All rows of a file. BadMapping names the file and the row where it cannot be read on."""
    name = path.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    if name.endswith(".parquet"):
        return _parquet(path)
    if name.endswith((".ndjson", ".jsonl")):
        return _ndjson(path)
    if name.endswith((".csv", ".tsv", ".txt")):
        return _csv(path, "\t" if name.endswith(".tsv") else delimiter, encoding)
    raise BadMapping(
        f"{path}: got a file that ends in {path.suffix!r}; wanted .csv, .tsv, .ndjson, .jsonl (also .gz, .zst) or .parquet"
    )


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a plain, .gz or .zst file."""
    if path.suffix == ".gz":
        with gzip.open(path) as unpacked:
            yield cast("IO[bytes]", unpacked)  # typeshed does not say so
    elif path.suffix == ".zst":
        with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as stream:
            yield io.BufferedReader(stream)
    else:
        with path.open("rb") as plain:
            yield plain


def _csv(path: Path, delimiter: str, encoding: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    number = 0
    with _naming(path, lambda: number), open_bytes(path) as content:
        rows = csv.reader(io.TextIOWrapper(content, encoding=encoding, newline=""), delimiter=delimiter, strict=True)
        header = next(rows, None)
        if header is None:
            return
        width = len(header)
        if len(set(header)) != width:
            twice = sorted({name for name in header if header.count(name) > 1})
            raise BadMapping(f"{path}: columns {twice} stand twice in the header; wanted each name once")
        for cells in rows:
            if not cells:  # a blank line is no row
                continue
            number += 1
            yield Row(number, dict(zip(header, cells, strict=False)), None if len(cells) == width else "row_of_other_width")


def _ndjson(path: Path) -> Iterator[Row]:
    number = 0
    with _naming(path, lambda: number), open_bytes(path) as content:
        for line in content:
            number += 1
            if not line.strip():
                continue
            try:
                value = orjson.loads(line)
            except orjson.JSONDecodeError:
                yield Row(number, {}, "row_not_json")
                continue
            yield Row(number, _flat(value)) if isinstance(value, dict) else Row(number, {}, "row_not_json")


def _parquet(path: Path) -> Iterator[Row]:
    number = 0
    with _naming(path, lambda: number), pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=8192):
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, _flat(cells))


def _flat(cells: dict[str, Any]) -> dict[str, Any]:
    """Nested objects by dotted names: {"a": {"b": 1}} is the column "a.b"."""
    if not any(isinstance(value, dict) for value in cells.values()):
        return cells
    flat: dict[str, Any] = {}
    for name, value in cells.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": content for inner, content in _flat(value).items()}
        else:
            flat[name] = value
    return flat


@contextmanager
def _naming(path: Path, row: Any) -> Iterator[None]:
    """Say file and row of whatever stops the reading."""
    try:
        yield
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zstandard.ZstdError, pa.ArrowException) as error:
        raise BadMapping(f"{path}: cannot be read on after row {row()}: {error}") from error
