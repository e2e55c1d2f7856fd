"""`/alerts`: the list, and one alert with its evidence. Without a duty token: that and roughly where, no number and no id of the log.

An alert's own id is a hash that could be tried out for every grid and window, so without a duty token a name stands for it
that holds until the process ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from view.answers import duty_only, stamp
from view.counts import narrowed
from view.parts import Parts, Pulse, Rows
from view.problems import Problem, not_here
from view.who import Condition, Scope, Who
from view.windows import text

COLUMNS: Final = (
    "alert_id AS id, at, level, area_level, area, category, incident_class, detector, params_hash, window_start, window_end, observed, "
    "expected, upper, p, q, state, is_open, version, acknowledged_at, dispatched_at, escalated_at, ended_at"
)
NUMBERS: Final = ("observed", "expected", "upper", "p", "q")
EVIDENCE: Final = ("parameters", "baseline", "neighbours")
MOST_EVENTS: Final = 50
TOWN_DIGITS: Final = 9
_NAMES: Final = secrets.token_bytes(32)


class Filters(NamedTuple):
    """Which alerts: all that are set must hold."""

    state: str | None = None
    level: int | None = None
    cat: str | None = None
    area: str | None = None


def shown(row: dict[str, Any], who: Who) -> dict[str, Any]:
    """One alert as this asker may see it."""
    row = row | {"is_open": bool(row["is_open"]), "incident_class": row["incident_class"] or None, "masked": False}
    if who.duty:
        return row
    hour = row["at"].replace(minute=0, second=0, microsecond=0)
    area = row["area"][: len(coarsest(who.scope))] if who.scope.value else row["area"][:TOWN_DIGITS]
    hidden = dict.fromkeys((*NUMBERS, "incident_class", "params_hash", "window_start", "window_end"))
    times = dict.fromkeys(("acknowledged_at", "dispatched_at", "escalated_at", "ended_at"))
    level = {6: "banner", 9: "town", 12: "community"}[len(area)]
    return row | hidden | times | {"id": public_name(row["id"]), "at": hour, "area": area, "area_level": level, "masked": True}


def coarsest(scope: Scope) -> str:
    """The smallest area that is named without a duty token: the community of the scope, else a town."""
    return scope.value if scope.kind == "community" else "0" * TOWN_DIGITS


def public_name(alert_id: str) -> str:
    """What stands for an alert's id without a duty token."""
    return hmac.new(_NAMES, alert_id.encode(), hashlib.sha256).hexdigest()[:32]


def listed(parts: Parts, pulse: Pulse, who: Who, filters: Filters, cursor: str | None, limit: int) -> dict[str, Any]:
    """The body: most severe first, then newest; `next` leads on. Pages by place, so that new alerts move none."""
    where, values = _where(who, filters)
    (counted,) = parts.ask(f"SELECT count() AS n FROM v_alerts WHERE {where}", values)
    after = "1"
    if cursor:
        last = one(parts, who, cursor)
        after = (
            "(level > {last_level:UInt8} OR level = {last_level:UInt8} AND (at < {last_at:DateTime64(3, 'UTC')} "
            "OR at = {last_at:DateTime64(3, 'UTC')} AND alert_id > {last_id:String}))"
        )
        values |= {"last_level": int(last["level"]), "last_at": text(last["at"]), "last_id": last["id"]}
    rows = parts.ask(
        f"SELECT {COLUMNS} FROM v_alerts WHERE {where} AND {after} ORDER BY level, at DESC, id LIMIT {{rows:UInt32}}",
        values | {"rows": limit + 1},
    )
    items = [shown(row, who) for row in rows[:limit]]
    return {**stamp(pulse), "items": items, "next": items[-1]["id"] if len(rows) > limit else None, "total": int(counted["n"])}


def one(parts: Parts, who: Who, name: str) -> dict[str, Any]:
    """The row of an alert by the id this asker knows it by, inside the scope. Problem 404."""
    condition = who.scope.condition("area")
    if not who.duty:
        known = parts.ask(f"SELECT alert_id FROM v_alerts WHERE {condition.sql}", condition.parameters)
        name = next((row["alert_id"] for row in known if public_name(row["alert_id"]) == name), "")
    rows = parts.ask(
        f"SELECT {COLUMNS}, {', '.join(EVIDENCE)} FROM v_alerts WHERE alert_id = {{alert:String}} AND {condition.sql}",
        {"alert": name} | condition.parameters,
    )
    if not rows:
        raise not_here("alert")
    return rows[0]


def detail(parts: Parts, pulse: Pulse, who: Who, name: str) -> dict[str, Any]:
    """The body: the alert, its evidence, what was done."""
    row = one(parts, who, name)
    evidence = {column: row.pop(column) for column in EVIDENCE}
    body = stamp(pulse) | shown(row, who)
    if not who.duty:
        return body | {"evidence": None, "actions": []}
    inside = who.scope.covers
    return body | {
        "evidence": {
            "parameters": orjson.loads(evidence["parameters"] or "{}"),
            "baseline": list(evidence["baseline"]),
            "neighbours": [dict(near) for near in evidence["neighbours"] if inside(near["area"])],
            "event_ids": [event["id"] for event in _events(parts, who, row)],
        },
        "actions": actions_of(parts, row["id"]),
    }


def actions_of(parts: Parts, alert_id: str) -> Rows:
    """What was done about an alert, oldest first. `version` is the one the actor saw."""
    return parts.ask(
        "SELECT action_id, kind, at, role, version FROM v_alert_actions WHERE alert_id = {alert:String} ORDER BY source_offset",
        {"alert": alert_id},
    )


def _events(parts: Parts, who: Who, row: dict[str, Any]) -> Rows:
    """The newest incidents that the alert counts."""
    inside, only = who.scope.condition(), narrowed(row["incident_class"] or row["category"])
    sql = (
        "SELECT id FROM events WHERE startsWith(grid, {area:String}) AND at >= {start:DateTime64(3, 'UTC')} "
        f"AND at < {{end:DateTime64(3, 'UTC')}} AND stage IN ('', 'reported') AND {inside.sql} AND {only.sql} "
        "ORDER BY at DESC, source, id LIMIT {most:UInt32}"
    )
    values = {"area": row["area"], "start": text(row["window_start"]), "end": text(row["window_end"]), "most": MOST_EVENTS}
    return parts.ask(sql, values | inside.parameters | only.parameters)


def _where(who: Who, filters: Filters) -> Condition:
    """The scope and the filters. Problem 403: a filter finer than what is shown would tell what is hidden."""
    if filters.area and len(filters.area) > len(coarsest(who.scope)):
        duty_only(who, "a filter by a small area", "filter by a town")
    if filters.cat and filters.cat[1:].isdigit():
        duty_only(who, "a filter by class", "filter by a category")
    inside, only = who.scope.condition("area"), narrowed(filters.cat)
    parts, values = [inside.sql, only.sql], inside.parameters | only.parameters
    if filters.state == "active":
        parts.append("is_open")
    elif filters.state:
        parts.append("state = {state:String}")
        values["state"] = filters.state
    if filters.level:
        parts.append("level = {level:UInt8}")
        values["level"] = filters.level
    if filters.area:
        if not who.scope.covers(filters.area):
            raise not_here("area")
        parts.append("startsWith(area, {area:String})")
        values["area"] = filters.area
    if filters.cat and not filters.cat[1:].isdigit():
        parts[1], values["cat"] = "category = {cat:String}", filters.cat
    return Condition(" AND ".join(parts), values)


def changed_since(parts: Parts, who: Who, since: datetime) -> Rows:
    """Alerts raised or acted upon since a moment of the store, for the live stream."""
    inside = who.scope.condition("area")
    sql = (
        f"SELECT {COLUMNS} FROM v_alerts WHERE {inside.sql} AND alert_id IN ("
        "SELECT alert_id FROM alerts WHERE stored_at >= {since:DateTime64(3, 'UTC')} "
        "UNION ALL SELECT alert_id FROM alert_actions WHERE stored_at >= {since:DateTime64(3, 'UTC')}) ORDER BY at, id LIMIT 200"
    )
    return [shown(row, who) for row in parts.ask(sql, {"since": text(since)} | inside.parameters)]


def missing_version(version: int) -> Problem:
    """428: an action without the version that the actor saw."""
    return Problem(428, "version-required", f'wanted If-Match: "{version}", the ETag of the alert as you saw it')
