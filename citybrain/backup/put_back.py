"""Put a backup back: fill tables beside, then replace all tables at once while all loaders are held.

The new tables remember no tokens. That is wanted: the loader sends what came after the backup again, and a table that
remembered those tokens would drop it. It is safe, because no record is half stored in a backup (citybrain/backup/access.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from citybrain.backup.manifest import BackupUnusable, Manifest, SavedView, read_manifest, read_piece
from citybrain.backup.save import Held, Told
from citybrain.backup.tables import STAGED, drop, drop_prefixed, here, leftovers, renamed
from schemas.errors import CitybrainError, StoreRefused, StoreUnavailable
from sinks.migrate import create_holds, migrate, migrations
from sinks.restoring import MARK, begin_restoring, end_restoring, is_restoring
from sinks.store import Store

FACTS = ("events", "rejected", "blocks", "alerts", "alert_actions", "counts_day")
"""A store with rows in one of them is somebody's."""


class StoreNotEmpty(CitybrainError):
    """There are rows in the store that a restore would remove. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `removed`: rows of the tables that were replaced."""

    backup: str
    made_at: str
    rows: int
    removed: int
    migrated: list[str]


def put_back(
    store: Store, held: Held, folder: Path, time_zone: str, *, replace: bool = False, told: Told = lambda *_: None
) -> Restored:
    """Replace the store by a backup. BackupUnusable, StoreNotEmpty, NotHeld: nothing was changed. After any other error run it again."""
    manifest = read_manifest(folder)
    _check_fits(manifest, time_zone)
    removed = _rows_there(store)
    if removed and not replace and not is_restoring(store):
        message = (
            f"the store has {removed:,} rows, and all of them would be removed; wanted an empty store, or --replace. "
            "`citybrain backup` keeps what is there now"
        )
        raise StoreNotEmpty(message)
    create_holds(store, time_zone)
    names = [table.name for table in manifest.tables]
    drop_prefixed(store, STAGED, names)
    _fill(store, manifest, folder, told)
    with held() as check:
        check()
        begin_restoring(store, manifest.backup)
        _remove(store, time_zone)
        for name in names:
            check()
            store.command(f"RENAME TABLE {STAGED}{name} TO {name}")
        _create_views(store, manifest)
        end_restoring(store)
        migrated = migrate(store, time_zone)
    return Restored(manifest.backup, manifest.made_at, manifest.rows, removed, migrated)


def _check_fits(manifest: Manifest, time_zone: str) -> None:
    if manifest.time_zone != time_zone:
        message = (
            f"the backup counts days in {manifest.time_zone}, the settings say {time_zone}; "
            f"set CITYBRAIN_CITY__TIME_ZONE={manifest.time_zone} for this deployment"
        )
        raise BackupUnusable(message)
    known = {step.version: step.sha256 for step in migrations(time_zone)}
    for version, digest in manifest.migrations.items():
        if known.get(version) != digest:
            message = (
                f"the backup has migration {version:04d} as {digest[:12]}, this City brain has {known.get(version, 'none')[:12]}; "
                "restore it by the version that made it, or a newer one"
            )
            raise BackupUnusable(message)


def _rows_there(store: Store) -> int:
    """Rows of facts; tables that are missing have none."""
    return sum(
        int(rows)
        for name, rows in store.query("SELECT name, total_rows FROM system.tables WHERE database = currentDatabase()")
        if name in FACTS and rows is not None
    )


def _fill(store: Store, manifest: Manifest, folder: Path, told: Told) -> None:
    """The backup's tables under other names. No view reads them, so nothing is counted again."""
    done = 0
    for table in manifest.tables:
        staged = STAGED + table.name
        store.command(renamed(table.create, table.name, staged, manifest.database))
        store.command(f"SYSTEM STOP MERGES {staged}")  # a merge adds rows of one key together, and they are counted below
        for number, piece in enumerate(table.pieces):
            data = read_piece(folder, piece)
            if piece.rows:
                store.insert_raw(staged, data, "Native", f"{manifest.backup}/{table.name}/{number}")
            done += piece.rows
            told(table.name, done, manifest.rows)
        ((rows,),) = store.query(f"SELECT count() FROM {staged}")
        store.command(f"SYSTEM START MERGES {staged}")
        if rows != table.rows:
            cause = f"{rows:,} rows came into {staged}, wanted {table.rows:,}; the store was not changed, run it again"
            raise StoreUnavailable(table.name, 0, cause)


def _remove(store: Store, time_zone: str) -> None:
    """Views first: a table that is read by one may be renamed no more."""
    there = here(store, time_zone)
    for entry in there:
        if entry.is_view:
            drop(store, entry.name, "VIEW")
    for name in [entry.name for entry in there if not entry.is_view] + [name for name in leftovers() if name != MARK]:
        drop(store, name)


def _create_views(store: Store, manifest: Manifest) -> None:
    """In whatever order they can be made: some read others."""
    waiting = list(manifest.views)
    while waiting:
        refused: list[tuple[SavedView, StoreRefused]] = []
        for view in waiting:
            try:
                store.command(renamed(view.create, view.name, view.name, manifest.database))
            except StoreRefused as error:
                refused.append((view, error))
        if len(refused) == len(waiting):
            raise refused[0][1]
        waiting = [view for view, _ in refused]
