"""The mark of a store whose tables are being replaced by those of a backup: nobody may write to it, or migrate it."""

from __future__ import annotations

from typing import Final

from schemas.errors import StoreUnsafe
from sinks.store import Store

MARK: Final = "restoring"
FOUND: Final = f"SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = '{MARK}'"


def begin_restoring(store: Store, backup: str) -> None:
    """From here on the store is nobody's until `end_restoring`."""
    store.command(f"CREATE TABLE IF NOT EXISTS {MARK} (backup String) ENGINE = MergeTree ORDER BY backup COMMENT '{backup}'")


def end_restoring(store: Store) -> None:
    """All tables are those of the backup."""
    store.command(f"DROP TABLE IF EXISTS {MARK} SYNC")


def is_restoring(store: Store) -> bool:
    """Whether a restore was begun and has not ended."""
    return bool(store.query(FOUND))


def check_restored(store: Store) -> None:
    """StoreUnsafe in a store that is half restored: its ledger may be older or newer than its rows."""
    if rows := store.query(FOUND):
        message = (
            f"a restore of backup {rows[0][0]} was begun and has not ended; if none runs, end this deployment and run "
            "`citybrain restore SRC --replace` again: it begins anew"
        )
        raise StoreUnsafe(message)
