"""`/cases/{id}/timeline`, `/response` and `/events`: cases step by step, how fast they are answered, and single events."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np

from schemas.figures import wilson
from view.answers import cursor_of, from_cursor, stamp
from view.counts import narrowed
from view.parts import Parts, Pulse, Rows
from view.problems import needs_duty, not_here
from view.sums import Sum
from view.suppress import protect
from view.who import Scope, Who
from view.windows import text

ROLES: Final = {
    "reported": "caller or grid worker", "accepted": "duty desk", "dispatched": "duty desk", "arrived": "responder",
    "resolved": "responder", "closed": "duty desk",
}  # fmt: skip
DUE: Final = {
    "accepted": ("accept", "reported"),
    "dispatched": ("dispatch", "accepted"),
    "arrived": ("arrive", "dispatched"),
    "resolved": ("resolve", "reported"),
}
"""Stage -> the limit that holds for it, and the stage it is counted from."""
KEYS: Final = {"tier": "tier", "dept": "department", "street": "town"}
"""Tables that are published; their masks are made together."""
FINER: Final = {"banner": "banner", "community": "community", "grid": "grid"}
"""For duty tokens only: each table more would make the others' masks wider."""
PUBLISHED_STEP: Final = "arrive"
CITY: Final = Who("", Scope(), duty=True)
LEAST_FOR_QUANTILES: Final = 20


def timeline(parts: Parts, pulse: Pulse, who: Who, case: str) -> dict[str, Any]:
    """The body: every stage of a case, when it was due, and whether it was met. Names nobody. Problem 404."""
    inside = who.scope.condition()
    values = {"case": case} | inside.parameters
    rows = parts.ask(
        "SELECT source_topic, tier, incident_class, grid, department, reported, accepted, dispatched, arrived, resolved, closed, "
        "accept_limit_ms, dispatch_limit_ms, arrive_limit_ms, resolve_limit_ms "
        f"FROM v_response_cases WHERE case_id = {{case:String}} AND {inside.sql} ORDER BY source_topic",
        values,
    )
    if not rows:
        raise not_here("case")
    told = parts.ask(
        "SELECT source_topic, stage, min(received_at) AS recorded_at FROM events WHERE case_id = {case:String} AND stage != '' "
        "GROUP BY source_topic, stage",
        {"case": case},
    )
    recorded = {(row["source_topic"], row["stage"]): row["recorded_at"] for row in told}
    first = rows[0]
    return stamp(pulse) | {
        "case": case, "tier": first["tier"], "incident_class": first["incident_class"], "grid": first["grid"],
        "department": first["department"],
        "steps": [_step(first, stage, recorded.get((first["source_topic"], stage))) for stage in ROLES],
    }  # fmt: skip


def _step(case: dict[str, Any], stage: str, recorded_at: datetime | None) -> dict[str, Any]:
    limit, since = DUE.get(stage, ("", ""))
    milliseconds = case[f"{limit}_limit_ms"] if limit else None
    due = case[since] + timedelta(milliseconds=milliseconds) if milliseconds is not None and case[since] else None
    met = case[stage] <= due if due and case[stage] else None
    return {"step": stage, "at": case[stage], "recorded_at": recorded_at, "role": ROLES[stage], "due_at": due, "met": met}


def response(parts: Parts, pulse: Pulse, who: Who, by: str, month: date | None) -> dict[str, Any]:
    """The body: of each tier, department or area and each step how many were met, with an interval, and how fast."""
    if not who.duty and by in FINER:
        raise needs_duty(f"by={by}", "without one there are tier, dept and street")
    if not who.duty and who.scope.kind != "city":
        raise needs_duty("/response of a community", "the city's figures need none")
    known = [row["month"] for row in parts.ask("SELECT DISTINCT month FROM v_response_cases ORDER BY month", {})]
    open_month = parts.now().astimezone(parts.zone).date().replace(day=1)
    wanted = month or max((one for one in known if who.duty or one < open_month), default=None)
    if not who.duty and wanted and wanted >= open_month:
        raise needs_duty("a month that is not over", "months that are over need none")
    rows = _figures(parts, who, (KEYS | FINER)[by], wanted) if wanted in known else []
    if not who.duty:
        rows = _masked(parts, by, wanted, rows)
    return stamp(pulse) | {
        "by": by,
        "month": wanted,
        "months": known if who.duty else [m for m in known if m < open_month],
        "items": rows,
    }


def _figures(parts: Parts, who: Who, key: str, month: date | None) -> Rows:
    inside = who.scope.condition()
    rows = parts.ask(
        f"SELECT toString({key}) AS key, step, toInt64(sum(due)) AS due, toInt64(count(took_ms)) AS n, toInt64(sum(missing)) AS missing, "
        "toInt64(sum(judged)) AS judged, toInt64(sum(met)) AS met, "
        "quantileExactInclusiveOrNull(0.5)(took_ms) / 1000 AS p50, quantileExactInclusiveOrNull(0.9)(took_ms) / 1000 AS p90 "
        f"FROM v_response_steps WHERE month = {{month:Date}} AND {inside.sql} GROUP BY key, step ORDER BY key, step",
        {"month": f"{month}"} | inside.parameters,
    )
    return [row | _share(row["met"], row["judged"]) | {"masked": False} for row in rows]


def _share(met: int, judged: int) -> dict[str, Any]:
    share = wilson(met, judged)
    return {"share": share.share, "lo": share.low, "hi": share.high}


def _masked(parts: Parts, by: str, month: date | None, rows: Rows) -> Rows:
    """One step only, and no row a count of 1 to 4 can be computed from.

    Cases of a month are met, late, or neither; each of the three tables has the same cases, so their sums are one unknown.
    """
    if month is None or not rows:
        return []
    values: list[int] = []
    sums: list[Sum] = []
    cells: dict[tuple[str, str], list[int]] = {}
    whole: dict[str, list[list[int]]] = {}
    for name, key in KEYS.items():
        for row in _figures(parts, CITY, key, month):
            if row["step"] != PUBLISHED_STEP:
                continue
            first = len(values)
            values += [row["due"], row["met"], row["judged"] - row["met"], row["due"] - row["judged"]]
            at = list(range(first, first + 4))
            sums.append(Sum(at[0], tuple(at[1:])))
            cells[name, row["key"]] = at
            whole.setdefault(name, []).append(at)
    for column in range(4):
        total = len(values)
        values.append(sum(values[at[column]] for at in next(iter(whole.values()))))
        sums += [Sum(total, tuple(at[column] for at in table)) for table in whole.values()]
    hidden = protect(np.array(values), sums)
    return [_published_row(row, bool(hidden[cells[by, row["key"]]].any())) for row in rows if row["step"] == PUBLISHED_STEP]


def _published_row(row: dict[str, Any], hidden: bool) -> dict[str, Any]:
    if hidden:
        return {name: row[name] if name in {"key", "step"} else None for name in row} | {"masked": True}
    enough = row["n"] >= LEAST_FOR_QUANTILES
    rounded = {name: round(row[name]) if enough and row[name] is not None else None for name in ("p50", "p90")}
    return row | rounded | {"n": None, "missing": None}


def events(
    parts: Parts, pulse: Pulse, who: Who, area: str, cat: str | None, since: datetime | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """The body: single events, newest first. Without `since` those of the last 24 hours before the watermark."""
    inside, only = who.scope.condition(), narrowed(cat)
    since = since or (pulse.watermark or parts.now()) - timedelta(hours=24)
    values = {"area": area, "since": text(since), "rows": limit + 1} | inside.parameters | only.parameters
    after = "1"
    if cursor:
        place = from_cursor(cursor, 3)
        if place is None or not re.fullmatch(r"[0-9-]{10} [0-9:.]{12}", place[0]):
            raise not_here("place in the list")
        after = (
            "(at < {last_at:DateTime64(3, 'UTC')} OR at = {last_at:DateTime64(3, 'UTC')} "
            "AND (source, id) > ({last_source:String}, {last_id:String}))"
        )
        values |= {"last_at": place[0], "last_source": place[1], "last_id": place[2]}
    rows = parts.ask(
        "SELECT id, source, kind, incident_class, at, received_at, stored_at, grid, lon, lat, stage, case_id, severity, department "
        "FROM events WHERE at >= {since:DateTime64(3, 'UTC')} AND startsWith(grid, {area:String}) "
        f"AND {inside.sql} AND {only.sql} AND {after} ORDER BY at DESC, source, id LIMIT {{rows:UInt32}}",
        values,
    )
    items = rows[:limit]
    last = items[-1] if len(rows) > limit else None
    following = cursor_of(text(last["at"]), last["source"], last["id"]) if last else None
    return stamp(pulse) | {"since": since, "items": items, "next": following}
