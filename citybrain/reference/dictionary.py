"""The data dictionary: what the migrations really make, read back from a temporary embedded ClickHouse."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Final, NamedTuple

from citybrain.reference.markdown import code, table
from sinks.migrate import migrate
from sinks.store import Store

DAY_ZONE: Final = "Asia/Shanghai"
VIEWS: Final[dict[str, str]] = {
    "v_cases": "one row per case: when each stage was reached first, class and grid of its earliest event",
    "v_counts_day": "events and incidents per day (the deployment's time zone), grid, class and kind, with the areas above",
    "v_counts_hour": "events and incidents per hour (UTC), grid, class and kind, with the areas above",
    "v_rejected": "rejected records per day, reason and raw topic",
    "v_sensor_hour": "readings per hour (UTC), device and metric",
}
"""Meaning of the published views; ClickHouse keeps no comment for a view that is replaced."""
VIEW_COLUMNS: Final[dict[str, str]] = {
    "accepted": "earliest event of stage accepted",
    "arrived": "earliest event of stage arrived",
    "banner": "first 6 digits of the grid code",
    "case_events": "events of the case",
    "closed": "earliest event of stage closed",
    "community": "first 12 digits of the grid code",
    "dispatched": "earliest event of stage dispatched",
    "events": "all events",
    "first_event": "class, grid and department of the earliest event",
    "highest": "largest value",
    "hour": "start of the hour, UTC",
    "incidents": "events without a stage or with stage reported",
    "lowest": "smallest value",
    "mean": "sum of values by readings",
    "mediation": "highest mediation level tried: 0 none, 1 community, 2 town, 3 banner",
    "metric": "name of the measured quantity",
    "readings": "number of readings",
    "records": "number of records",
    "reported": "earliest event of stage reported",
    "resolved": "earliest event of stage resolved",
    "town": "first 9 digits of the grid code",
}
"""Meaning of the columns that a published view makes; all others mean what they mean in their table."""


class Column(NamedTuple):
    """One column of a table or view, `type` as ClickHouse spells it."""

    name: str
    type: str
    meaning: str


class Relation(NamedTuple):
    """One table or view."""

    name: str
    engine: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def published(self) -> bool:
        """Whether dashboards may read it: it may only grow."""
        return self.name.startswith("v_")


@cache
def relations() -> tuple[Relation, ...]:
    """All tables and views by name, materialized views left out: they are how a table is filled."""
    with tempfile.TemporaryDirectory(prefix="citybrain-docs-") as folder:
        store = Store.connect(f"{folder}/clickhouse")
        try:
            migrate(store, DAY_ZONE)
            tables = store.query(
                "SELECT name, engine, comment FROM system.tables WHERE database = currentDatabase() "
                "AND engine != 'MaterializedView' ORDER BY name"
            )
            columns = store.query(
                "SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
            )
        finally:
            store.close()
    comments = {name: comment for _, name, _, comment in columns if comment}
    return tuple(
        Relation(
            name,
            engine,
            comment or VIEWS.get(name, ""),
            tuple(
                Column(
                    column, kind, comment or (VIEW_COLUMNS.get(column) if name in VIEWS else None) or comments.get(column, "")
                )
                for owner, column, kind, comment in columns
                if owner == name
            ),
        )
        for name, engine, comment in tables
    )


def published() -> str:
    """The published views."""
    return "".join(_page(relation) for relation in relations() if relation.published)


def tables() -> str:
    """The tables behind them."""
    return "".join(_page(relation) for relation in relations() if not relation.published)


def _page(relation: Relation) -> str:
    about = f"### `{relation.name}`\n\n{relation.engine}: {relation.meaning}.\n\n"
    return about + table(("column", "type", "meaning"), [(code(c.name), code(c.type), c.meaning) for c in relation.columns])
