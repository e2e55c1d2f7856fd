"""The data dictionary: what the migrations really make, read back from a temporary embedded ClickHouse."""

from __future__ import annotations

import tempfile
from functools import cache
from typing import Final, NamedTuple

from citybrain.reference.markdown import code, table
from sinks.migrate import migrate
from sinks.published import TAKEN
from sinks.store import Store

DAY_ZONE: Final = "Asia/Shanghai"
VIEWS: Final[dict[str, str]] = {
    "public_incidents_now": "what would be published now: incidents with small cells hidden",
    "public_response_now": "what would be published now: response with small cells hidden",
    "response_basis": "hash of what cases are judged by: tiers and classes",
    "response_now": "cases that are judged at the question: those that were touched since what is kept, or all of them",
    "response_since": "from when on a case counts as touched; 1970: nothing that is kept counts",
    "response_touched": "cases with rows inserted since then",
    "v_alert_actions": "what was done about alerts, without notes",
    "v_alerts": "one row per alert: its evidence, its state and version now, when each kind of action came first",
    "v_cases": "one row per case: when each stage was reached first, class and grid of its earliest event",
    "v_counts_day": "events and incidents per day (the deployment's time zone), grid, class and kind, with the areas above; a count may stand in several rows: sum them",
    "v_counts_hour": "events and incidents per hour (UTC), grid, class and kind, with the areas above; a count stands in several rows: sum them",
    "v_counts_month": "events and incidents per month, grid and class, with the areas above, for spans of months and years; a count stands in several rows: sum them",
    "v_incidents_change": "incidents per month, area and category beside the month and the year before; the newest day is not whole and left out, and of a month that has not ended the same days are compared",
    "v_mediation": "disputes per month and area by the highest level that tried to settle them, and what became of them",
    "v_public_cells": "counts with small cells hidden, and others with them so that no total gives them away ([decision 38](decisions/0038-suppressed-views.md))",
    "v_public_incidents": "incidents per week, area (banner, town, community) and category, small cells hidden; taken at a moment, some minutes ago ([decision 65](decisions/0065-published-at-a-moment.md))",
    "v_public_response": "response per month, area or department, and step, small cells hidden; taken at a moment, some minutes ago",
    "v_rejected": "rejected records per day, reason and raw topic",
    "v_response_bands": "cases per month, step and band of the time it took",
    "v_response_cases": "one row per case with an event of any stage: v_cases with its areas, category, day and response tier; quick for months that were kept ([decision 64](decisions/0064-kept-response-cases.md))",
    "v_response_departments": "response times per month, department and step",
    "v_response_levels": "response times per month, area and step; the area of cases that are not located is empty",
    "v_response_steps": "one row per case and step that began or ended: accept, dispatch, arrive, resolve",
    "v_response_tiers": "response times per month, response tier and step",
    "v_information_classes": "classes of information as the catalogue has them now",
    "v_scenarios": "application scenarios as the catalogue has them now",
    "v_scenarios_day": "events and incidents per day (the deployment's time zone), scenario and grid, with the areas above; an incident counts in every scenario that selects its class",
    "v_scenarios_hour": "events and incidents per hour (UTC), scenario and grid, with the areas above; an incident counts in every scenario that selects its class",
    "v_sensor_hour": "readings per hour (UTC), device and metric",
}
"""Meaning of the published views; ClickHouse keeps no comment for a view that is replaced."""
VIEW_COLUMNS: Final[dict[str, str]] = {
    "accept_limit_ms": "limit of the case's tier from reported to accepted, milliseconds; none: no limit",
    "accepted": "earliest event of stage accepted",
    "acknowledged_at": "first action ack",
    "area": "code of the area, empty when not located",
    "arrive_limit_ms": "limit of the case's tier from dispatched to arrived, milliseconds",
    "arrived": "earliest event of stage arrived",
    "band": "band of the time taken, as 110 bulletins have it; empty when it is not known",
    "banner": "first 6 digits of the grid code",
    "began": "when the stage before was reached",
    "case_events": "events of the case",
    "cases": "number of cases",
    "closed": "earliest event of stage closed",
    "community": "first 12 digits of the grid code",
    "day": "day in the deployment's time zone",
    "days": "whole days counted of the month",
    "days_last_year": "days counted a year before; none when the data begin later",
    "days_previous": "days counted of the month before; none when the data begin later",
    "disordered": "ended before it began, or ended without having begun: not measured, never met",
    "dispatch_limit_ms": "limit of the case's tier from accepted to dispatched, milliseconds",
    "dispatched": "earliest event of stage dispatched",
    "dispatched_at": "first action dispatch",
    "disputes": "cases with a mediation level",
    "due": "began",
    "ended": "when the step's stage was reached",
    "ended_at": "first action resolve or false_alarm",
    "escalated_at": "first action escalate",
    "events": "all events",
    "failed": "closed without having been resolved",
    "first_event": "class, grid and department of the earliest event",
    "hidden": "1: not shown, because it is 1 to 4 or would give such a cell away",
    "highest": "largest value",
    "hour": "start of the hour, UTC",
    "incidents": "events without a stage or with stage reported",
    "is_open": "1 until the first resolve or false_alarm",
    "item": "category or step",
    "judged": "measured, and the tier has a limit",
    "last_action": "kind of the action that decides the state, open without any; the first ending decides for ever",
    "last_year": "incidents of the same days a year before; none when the data begin later",
    "limit_ms": "limit of the case's tier for the step, milliseconds; none: no limit",
    "limit_seconds": "limit of the tier for the step; none: no limit",
    "lowest": "smallest value",
    "mean": "sum of values by readings",
    "measure": "incidents or response",
    "mediation": "highest mediation level tried: 0 none, 1 community, 2 town, 3 banner",
    "met": "judged, and within the limit",
    "metric": "name of the measured quantity",
    "missing": "began and did not end: not measured, never met",
    "month": "first day of the month, in the deployment's time zone",
    "month_change": "(incidents - previous) / previous; none when previous is 0 or not known",
    "n": "measured: began and ended, in this order",
    "name": "name of the area or department",
    "opened_at": "reported, or the earliest stage there is",
    "p50_seconds": "median of the measured times, linear between neighbours",
    "p90_seconds": "90th percentile of the measured times, linear between neighbours",
    "pending": "neither resolved nor closed",
    "period": "first day of the week (incidents) or month (response)",
    "previous": "incidents of the same days of the month before; none when the data begin later",
    "readings": "number of readings",
    "records": "number of records",
    "reported": "earliest event of stage reported",
    "resolve_limit_ms": "limit of the case's tier from reported to resolved, milliseconds",
    "resolved": "earliest event of stage resolved",
    "settled": "resolved",
    "share": "share of judged cases within the limit, to a hundredth; none: hidden, or fewer than 5 judged",
    "shown": "the count; none: hidden",
    "source_offset": "place in the log of alerts: the order of actions",
    "state": "open, acknowledged, dispatched, escalated, resolved or false_alarm",
    "step": "accept, dispatch, arrive or resolve",
    "took_ms": "milliseconds from began to ended; none when it is not measured",
    "town": "first 9 digits of the grid code",
    "version": "number of distinct actions + 1 (v_alert_actions: the version the actor saw)",
    "week": "Monday of the week, in the deployment's time zone",
    "year_change": "(incidents - last_year) / last_year; none when last_year is 0 or not known",
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
                    column,
                    kind,
                    comment
                    or (VIEW_COLUMNS.get(column) if name in VIEWS or name in TAKEN else None)
                    or comments.get(column, ""),
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
