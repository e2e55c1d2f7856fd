"""What a backup consists of: `manifest.json`, written last. A folder without it is no backup."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import CitybrainError

FILE: Final = "manifest.json"
FORMAT: Final = 1


class BackupUnusable(CitybrainError):
    """A folder is no backup, is damaged, or does not fit this City brain. The store was not changed."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Part):
    """Some rows of a table: a file of ClickHouse's Native format, packed by zstd. `sha256` is of the file."""

    file: str
    rows: int
    sha256: str


class SavedTable(_Part):
    """One table; `create` is its own statement, as the store told it."""

    name: str
    create: str
    rows: int
    pieces: tuple[Piece, ...]


class SavedView(_Part):
    """One view, materialized or not."""

    name: str
    create: str


class Manifest(_Part):
    """The backup. `next_offsets`: the record of Kafka after the last stored one, by topic id and partition."""

    format: int
    backup: str
    made_at: str
    engine: str
    database: str
    time_zone: str
    migrations: dict[int, str]
    tables: tuple[SavedTable, ...]
    views: tuple[SavedView, ...]
    next_offsets: dict[str, int]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)


def read_manifest(folder: Path) -> Manifest:
    """BackupUnusable says what was found instead."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except OSError as error:
        message = (
            f"{folder}: no {FILE} ({error.strerror}); wanted a folder that `citybrain backup` made. A name that ends in .partial is of "
            "a backup that was cut off: take an older one"
        )
        raise BackupUnusable(message) from error
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        message = (
            f"{folder / FILE}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}; it was changed or cut off"
        )
        raise BackupUnusable(message) from error
    if found.format != FORMAT:
        message = (
            f"{folder / FILE}: format {found.format}, wanted {FORMAT}; restore it by the City brain that made it, then upgrade"
        )
        raise BackupUnusable(message)
    return found


def write_piece(folder: Path, file: str, data: bytes, rows: int) -> Piece:
    """Pack and write one file."""
    packed = zstandard.compress(data, 3)
    path = folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(packed)
    return Piece(file=file, rows=rows, sha256=hashlib.sha256(packed).hexdigest())


def read_piece(folder: Path, piece: Piece) -> bytes:
    """Its data; BackupUnusable when the file is not what was written."""
    path = folder / piece.file
    if not path.resolve().is_relative_to(folder.resolve()):
        message = f"{folder / FILE}: file {piece.file!r} lies outside the backup"
        raise BackupUnusable(message)
    try:
        packed = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}; the backup is not whole"
        raise BackupUnusable(message) from error
    if (got := hashlib.sha256(packed).hexdigest()) != piece.sha256:
        message = f"{path}: SHA-256 is {got[:12]}, wanted {piece.sha256[:12]}: the file is damaged; take another backup"
        raise BackupUnusable(message)
    return zstandard.decompress(packed)
