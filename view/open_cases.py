"""`/cases`: cases that are not ended, the most urgent first, with the step that is next and when it is due. Duty tokens only."""

from __future__ import annotations

from typing import Any, Final

from view.answers import stamp
from view.counts import narrowed
from view.parts import Parts, Pulse
from view.who import Who
from view.windows import text

OPEN: Final = (
    "SELECT case_id AS case, tier, incident_class, grid, department, opened_at, "
    "multiIf(accepted IS NULL, 'accepted', dispatched IS NULL, 'dispatched', arrived IS NULL, 'arrived', 'resolved') AS step, "
    "multiIf(step = 'accepted', addMilliseconds(reported, accept_limit_ms), step = 'dispatched', "
    "addMilliseconds(accepted, dispatch_limit_ms), step = 'arrived', addMilliseconds(dispatched, arrive_limit_ms), "
    "addMilliseconds(reported, resolve_limit_ms)) AS due_at FROM v_response_cases WHERE resolved IS NULL AND closed IS NULL"
)
"""The next step is the first that has not happened; it is due as `/cases/{case}/timeline` says."""


def open_cases(parts: Parts, pulse: Pulse, who: Who, area: str, cat: str | None, limit: int) -> dict[str, Any]:
    """The body: `overdue` cases have a next step whose limit is past by the watermark; those without a limit come last."""
    inside, only = who.scope.condition(), narrowed(cat)
    now = pulse.watermark or parts.now()
    where = f"startsWith(grid, {{area:String}}) AND {inside.sql} AND {only.sql}"
    values = {"area": area, "now": text(now), "rows": limit} | inside.parameters | only.parameters
    (counted,) = parts.ask(
        f"SELECT count() AS open, countIf(due_at < {{now:DateTime64(3, 'UTC')}}) AS overdue FROM ({OPEN} AND {where})", values
    )
    rows = parts.ask(
        f"SELECT * FROM ({OPEN} AND {where}) ORDER BY due_at ASC NULLS LAST, opened_at, case LIMIT {{rows:UInt32}}", values
    )
    return stamp(pulse) | {"open": int(counted["open"]), "overdue": int(counted["overdue"]), "items": rows}
