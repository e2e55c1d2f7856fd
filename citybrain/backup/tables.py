"""Which tables and views a backup is of: those of the migrations. Holds are of the moment and stay where they are."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sinks.migrate import migrations
from sinks.relabel import STAGE
from sinks.restoring import MARK
from sinks.store import Store

OF_THE_MOMENT: Final = frozenset({"holds", "holds_seen"})
CREATES: Final = re.compile(r"CREATE (?:OR REPLACE |MATERIALIZED )?(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\w+)")
CLONE: Final = "backup_"
"""Before the name of a table's clone while it is read."""
STAGED: Final = "restore_"
"""Before the name of a table while it is filled."""
HERE: Final = "SELECT name, engine, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name"


class Entry(NamedTuple):
    """A table or view of the store."""

    name: str
    engine: str
    create: str

    @property
    def is_view(self) -> bool:
        """Whether it holds no rows of its own."""
        return self.engine in {"View", "MaterializedView"}


def here(store: Store, time_zone: str) -> list[Entry]:
    """Our tables and views in the store, without those of the moment."""
    names = {
        "migrations",
        *(found for step in migrations(time_zone) for sql in step.statements for found in CREATES.findall(sql)),
    }
    return [entry for entry in map(Entry._make, store.query(HERE)) if entry.name in names - OF_THE_MOMENT]


def drop(store: Store, name: str, kind: str = "TABLE") -> None:
    """Whatever its size, and at once: its name is needed."""
    store.command(f"DROP {kind} IF EXISTS {name} SYNC SETTINGS max_table_size_to_drop = 0")


def drop_prefixed(store: Store, prefix: str, names: list[str]) -> None:
    """Remove what a run that was killed left behind."""
    for name in names:
        drop(store, prefix + name)


def renamed(create: str, name: str, new: str, database: str) -> str:
    """The statement of a table, or of a view, for the current database instead of `database`; the table called `new`."""
    quoted = rf"(?<![\w`.'])`?{re.escape(database)}`?\.(?=[\w`])"
    return re.sub(quoted, "", create).replace(f" {name} ", f" {new} ", 1)


def leftovers() -> list[str]:
    """Tables of unfinished work that a restored store does not go on with."""
    return [STAGE, MARK]
