"""Counts of incidents in one window or step by step, inside a scope. Exact: the same rows as the published views count.

Cities and communities are counted from the rollups, by minute or by local day. A department is a set of classes, which
stands in the same rollups.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from schemas.places import PREFIX, Level
from view.city import CATEGORIES, COLUMN
from view.parts import Ask, Parts, Pulse
from view.who import Condition, Scope
from view.windows import Span, whole

LETTER: Final = "substring(incident_class, 1, 1)"
SILENT_AFTER: Final = {"sensor": timedelta(minutes=30), "police": timedelta(hours=6), "grid": timedelta(hours=24)}
"""A source kind that said nothing for so long, by the stream's watermark, is shown as not answering."""

SPOKEN: Final = (
    f"SELECT kind, {LETTER} AS letter, toDateTime64(max(minute), 0, 'UTC') AS last FROM counts_minute GROUP BY kind, letter"
)
SPOKE_IN: Final = (
    "SELECT DISTINCT kind FROM counts_minute WHERE minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}"
)

Table = dict[str, list[int]]
"""Incidents by area code, one number a category, in the order of `CATEGORIES`."""


class Source(NamedTuple):
    """One kind of source: when it last said something, and whether it is silent for longer than it ever should be."""

    id: str
    last: datetime | None
    ok: bool


class Feeds(NamedTuple):
    """Which categories have data in a window. `dead`: columns that no source which feeds them spoke for."""

    sources: list[Source]
    dead: list[bool]


def in_window(ask: Ask, scope: Scope, span: Span) -> Table:
    """Incidents by grid inside a scope."""
    condition = scope.condition()
    if span.day:
        table, where, values = "counts_day", "day = {day:Date}", {"day": f"{span.day}"}
    else:
        table, where = "counts_minute", "minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}"
        values = {"start": whole(span.start), "end": whole(span.end)}
    sql = (
        f"SELECT grid, {LETTER} AS letter, sum(incidents) AS n FROM {table} "
        f"WHERE {where} AND grid != '' AND {condition.sql} GROUP BY grid, letter HAVING n > 0"
    )
    found: Table = {}
    for row in ask(sql, values | condition.parameters):
        found.setdefault(str(row["grid"]), [0] * len(CATEGORIES))[COLUMN[row["letter"]]] += int(row["n"])
    return found


def rolled_up(table: Mapping[str, list[int]], level: Level, codes: list[str]) -> list[list[int]]:
    """Counts of the areas of a level, in the order of `codes`; grids that no area has are left out."""
    digits = PREFIX[level]
    found = {code: [0] * len(CATEGORIES) for code in codes}
    for grid, counts in table.items():
        if into := found.get(grid[:digits]):
            for column, n in enumerate(counts):
                into[column] += n
    return [found[code] for code in codes]


def feeds(parts: Parts, pulse: Pulse, span: Span) -> Feeds:
    """Who spoke in a window, city-wide, and which categories nobody spoke for who ever does."""
    rows = parts.kept.get(("spoken", pulse.seq), lambda: parts.ask(SPOKEN, {}))
    last: dict[str, datetime] = {}
    fed: dict[str, set[str]] = {letter: set() for letter in COLUMN}
    for row in rows:
        last[row["kind"]] = max(last.get(row["kind"], row["last"]), row["last"])
        fed[row["letter"]].add(row["kind"])
    if span.end > max(last.values(), default=span.end):  # all that was said lies before the end: the last words decide
        alive = {kind for kind, at in last.items() if at >= span.start}
    else:
        alive = {row["kind"] for row in parts.ask(SPOKE_IN, {"start": whole(span.start), "end": whole(span.end)})}
    watermark = pulse.watermark or parts.now()
    sources = [
        Source(kind, last.get(kind), kind in last and watermark - last[kind] <= limit) for kind, limit in SILENT_AFTER.items()
    ]
    return Feeds(sources, [not (fed[letter] or last.keys()) & alive for letter in COLUMN])


def narrowed(cat: str | None) -> Condition:
    """The condition of a category or class; all without one."""
    if cat is None:
        return Condition("1", {})
    if cat in CATEGORIES:
        return Condition(
            f"{LETTER} = {{letter:String}}", {"letter": next(letter for letter, at in COLUMN.items() if CATEGORIES[at] == cat)}
        )
    return Condition("incident_class = {class:String}", {"class": cat})


def by_day(ask: Ask, scope: Scope, area: str, cat: str | None, first: date, last: date) -> dict[date, int]:
    """Incidents of each local day that has any, of an area inside a scope."""
    inside, only = scope.condition(), narrowed(cat)
    sql = (
        "SELECT day, sum(incidents) AS n FROM counts_day WHERE day >= {first:Date} AND day <= {last:Date} "
        f"AND startsWith(grid, {{area:String}}) AND {inside.sql} AND {only.sql} GROUP BY day"
    )
    values = {"first": f"{first}", "last": f"{last}", "area": area}
    return {row["day"]: int(row["n"]) for row in ask(sql, values | inside.parameters | only.parameters)}


def by_hour(ask: Ask, scope: Scope, area: str, cat: str | None, start: datetime, end: datetime) -> dict[datetime, int]:
    """The same by hour."""
    inside, only = scope.condition(), narrowed(cat)
    sql = (
        "SELECT toDateTime64(toStartOfHour(minute), 0, 'UTC') AS hour, sum(incidents) AS n FROM counts_minute "
        "WHERE minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')} "
        f"AND startsWith(grid, {{area:String}}) AND {inside.sql} AND {only.sql} GROUP BY hour"
    )
    values: dict[str, Any] = {"start": whole(start), "end": whole(end), "area": area}
    return {row["hour"]: int(row["n"]) for row in ask(sql, values | inside.parameters | only.parameters)}


def days_with_data(ask: Ask, first: date, last: date) -> set[date]:
    """Local days on which any source said anything: on the others nothing is known."""
    rows = ask(
        "SELECT DISTINCT day FROM counts_day WHERE day >= {first:Date} AND day <= {last:Date}",
        {"first": f"{first}", "last": f"{last}"},
    )
    return {row["day"] for row in rows}


def hours_with_data(ask: Ask, start: datetime, end: datetime) -> set[datetime]:
    """The same by hour."""
    sql = (
        "SELECT DISTINCT toDateTime64(toStartOfHour(minute), 0, 'UTC') AS hour FROM counts_minute "
        "WHERE minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}"
    )
    return {row["hour"] for row in ask(sql, {"start": whole(start), "end": whole(end)})}
