"""Make a backup: clone every table while all loaders are held, let them go on, then read the clones."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from citybrain.backup.manifest import FILE, FORMAT, BackupUnusable, Manifest, Piece, SavedTable, SavedView, write_piece
from citybrain.backup.tables import CLONE, Entry, drop_prefixed, here
from schemas.errors import StoreUnavailable
from sinks.restoring import check_restored
from sinks.store import Store

PIECE_ROWS: Final = 100_000
Held = Callable[[], AbstractContextManager[Callable[[], None]]]
"""Holds all loaders; what it gives says by an error when it no longer does."""
Told = Callable[[str, int, int], None]
"""(table, rows done, rows of all tables)"""


def save(store: Store, held: Held, folder: Path, time_zone: str, told: Told = lambda *_: None) -> Manifest:
    """Write a backup into `folder`, which may not exist yet. StoreUnavailable, HoldLost, NotHeld: nothing is written, run it again."""
    if folder.exists():
        message = f"{folder} exists; wanted the name of a new folder, as {folder}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        raise BackupUnusable(message)
    check_restored(store)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    entries = here(store, time_zone)
    tables = [entry for entry in entries if not entry.is_view]
    names = [table.name for table in tables]
    try:
        with held() as check:
            drop_prefixed(store, CLONE, names)
            for name in names:
                check()
                _clone(store, name)
            check()  # else a loader may have written between two clones
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(
            format=FORMAT,
            backup=str(uuid.uuid4()),
            made_at=made_at,
            engine=str(store.query("SELECT version()")[0][0]),
            database=str(store.query("SELECT currentDatabase()")[0][0]),
            time_zone=time_zone,
            migrations=dict(store.query(f"SELECT version, sha256 FROM {CLONE}migrations ORDER BY version")),
            tables=tuple(_tables(store, tables, partial, told)),
            views=tuple(SavedView(name=entry.name, create=entry.create) for entry in entries if entry.is_view),
            next_offsets=_next_offsets(store),
        )
    finally:
        drop_prefixed(store, CLONE, names)
    (partial / FILE).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    _to_disk(partial)
    partial.rename(folder)
    _to_disk(folder.parent, deep=False)
    return manifest


def _clone(store: Store, name: str) -> None:
    """The parts of a table under another name, by hard links; merges would take them away while they are read."""
    store.command(f"CREATE TABLE {CLONE}{name} AS {name}")
    store.command(f"SYSTEM STOP MERGES {CLONE}{name}")
    store.command(f"ALTER TABLE {CLONE}{name} ATTACH PARTITION ALL FROM {name}")


def _tables(store: Store, tables: list[Entry], folder: Path, told: Told) -> Iterator[SavedTable]:
    rows = {table.name: int(store.query(f"SELECT count() FROM {CLONE}{table.name}")[0][0]) for table in tables}
    done, total = 0, sum(rows.values())
    for table in tables:
        pieces = []
        for piece in _pieces(store, table.name, folder):
            pieces.append(piece)
            done += piece.rows
            told(table.name, done, total)
        if (read := sum(piece.rows for piece in pieces)) != rows[table.name]:
            cause = f"{read:,} rows were read and {rows[table.name]:,} are there: another backup runs, or parts were merged; run it again"
            raise StoreUnavailable(table.name, 0, cause)
        yield SavedTable(name=table.name, create=table.create, rows=rows[table.name], pieces=tuple(pieces))


def _pieces(store: Store, name: str, folder: Path) -> Iterator[Piece]:
    """Part by part, so that no answer is larger than PIECE_ROWS."""
    parts = store.query(
        "SELECT name, rows FROM system.parts WHERE database = currentDatabase() AND table = {table:String} AND active ORDER BY name",
        {"table": CLONE + name},
    )
    number = 0
    for part, rows in parts:
        for first in range(0, int(rows), PIECE_ROWS):
            last = min(first + PIECE_ROWS, int(rows))
            data = store.raw(
                f"SELECT * FROM {CLONE}{name} WHERE _part = '{part}' AND _part_offset >= {first} AND _part_offset < {last}",
                "Native",
            )
            yield write_piece(folder, f"{name}/{number:06d}.native.zst", data, last - first if data else 0)
            number += 1


def _next_offsets(store: Store) -> dict[str, int]:
    rows = store.query(
        f"SELECT concat(risk_topic_id, '/', toString(risk_partition)), max(risk_offset) + 1 FROM {CLONE}blocks GROUP BY 1 ORDER BY 1"
    )
    return {str(place): int(following) for place, following in rows}


def _to_disk(folder: Path, *, deep: bool = True) -> None:
    """A backup that is said to be there has to survive a power cut."""
    for path in [*(folder.rglob("*") if deep else ()), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
