"""Grafana's files as Grafana reads them: panels, targets, and SQL with its macros filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "deploy/grafana"
CLICKHOUSE, PROMETHEUS = "citybrain-clickhouse", "citybrain-prometheus"


class Target(NamedTuple):
    """One query of one panel."""

    dashboard: str
    panel: dict[str, Any]
    target: dict[str, Any]

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.dashboard}: {self.panel['title']}"


def dashboards() -> dict[str, dict[str, Any]]:
    """Every dashboard by its file's name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "dashboards").glob("*.json"))}


def targets(datasource: str) -> Iterator[Target]:
    """Every query that goes to a datasource."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                if target["datasource"]["uid"] == datasource:
                    yield Target(name, panel, target)


def expand(sql: str, start: datetime, end: datetime, variables: dict[str, str]) -> str:
    """The SQL that the ClickHouse plugin sends for a time range. ValueError: a macro or variable that is not known here."""
    first, last = int(start.timestamp()), int(end.timestamp())
    for name, value in variables.items():
        quoted = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        sql = sql.replace(f"${{{name}:singlequote}}", quoted)
    for macro, put in {
        "timeFilter": rf"\1 >= toDateTime({first}) AND \1 <= toDateTime({last})",
        "dateFilter": rf"\1 >= toDate('{start:%Y-%m-%d}') AND \1 <= toDate('{end:%Y-%m-%d}')",
        "timeInterval": r"toStartOfInterval(toDateTime(\1), INTERVAL 3600 second)",
    }.items():
        sql = re.sub(rf"\$__{macro}\(([\w.]+)\)", put, sql)
    if "$" in sql:
        message = f"not filled in: {sql[sql.index('$') :][:40]!r}"
        raise ValueError(message)
    return sql
