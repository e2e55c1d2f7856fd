"""What is asked of three years: every query of the dashboards, and of the published views by level, category and span.

aggregates  counts by an area's level or a category over 24 hours, 30 days and all of the time, as the view asks them
dashboards  every query of deploy/grafana, over 24 hours
single      one case; the raw events of one area within a day
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from bench.traffic import SEED
from ingest.city import build_city
from tests.deploy.grafana import CLICKHOUSE, expand, targets

LEVELS: Final = ("grid", "community", "town", "banner")
MONTH: Final = 31
"""Days; longer spans of areas are asked by the month (docs/decisions/0063-counts-of-years.md)."""
CATEGORY: Final = "public_safety"
GOAL_MS: Final = {"aggregates": 50.0, "dashboards": 50.0, "single": 200.0}
Ask = Callable[[str], bytes]


class Question(NamedTuple):
    """One query; `group` says how fast it has to be."""

    group: str
    name: str
    sql: str


def all_questions(end: datetime, days: int, case_id: str) -> Iterator[Question]:
    """Every question about a city whose history ends at `end` and is `days` long."""
    spans = {"24 h": 1, "30 days": min(30, days), f"{days} days": days}
    for told, length in spans.items():
        table, moment = ("v_counts_hour", "hour") if length == 1 else ("v_counts_day", "day")
        since = end - timedelta(days=length)
        literal = f"toDateTime('{since:%Y-%m-%d %H:%M:%S}', 'UTC')" if length == 1 else f"toDate('{since:%Y-%m-%d}')"
        counts = (
            f"{table} WHERE {moment} >= {literal}"
            if length <= MONTH
            else f"v_counts_month WHERE month >= toStartOfMonth({literal})"
        )
        for level in LEVELS:
            what = f"SELECT {level}, sum(incidents) FROM {counts}"
            yield Question("aggregates", f"{level}, {told}", f"{what} GROUP BY {level}")
            yield Question(
                "aggregates", f"{level}, one category, {told}", f"{what} AND category = '{CATEGORY}' GROUP BY {level}"
            )
        series = (
            f"SELECT {moment}, category, sum(incidents) FROM {table} WHERE {moment} >= {literal} GROUP BY {moment}, category"
        )
        yield Question("aggregates", f"series by category, {told}", series)
    yield Question("single", "one case", f"SELECT * FROM v_cases WHERE case_id = '{case_id}'")
    place, since = build_city(SEED).places.grids[0], end - timedelta(days=1)
    grid = place.code
    area = f"grid = '{grid}' AND at >= toDateTime64('{since:%Y-%m-%d %H:%M:%S}', 3, 'UTC')"
    yield Question(
        "single", "one area's events", f"SELECT * EXCEPT (text) FROM events WHERE {area} ORDER BY at DESC LIMIT 1000"
    )
    variables = {"community": grid[:12], "department": f"{place.town}派出所"}
    for target in targets(CLICKHOUSE):
        sql = expand(target.target["rawSql"], end - timedelta(days=1), end, variables)
        yield Question("dashboards", target.name, sql)


def ask_all(ask: Ask, end: datetime, days: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each question by group, `rounds` of each after one that is not counted."""
    case_id = ask("SELECT case_id FROM cases ORDER BY case_id LIMIT 1 OFFSET 100").decode().strip()
    found: dict[str, dict[str, list[float]]] = {}
    for question in all_questions(end, days, case_id):
        ask(question.sql)
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            ask(question.sql)
            times.append((time.perf_counter() - started) * 1000)
        found.setdefault(question.group, {})[question.name] = times
    return found


def summed(asked: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """p95 of each question, of all, and the worst of each group, milliseconds, with what is wanted."""
    by_group = {group: {name: p95(times) for name, times in named.items()} for group, named in asked.items()}
    return {
        "p95_ms": p95([value for named in asked.values() for times in named.values() for value in times]),
        "worst_ms": {group: max(named.values()) for group, named in by_group.items()},
        "goal_ms": GOAL_MS,
        "by_group": by_group,
    }


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return round(float(np.percentile(times, 95)), 2)
