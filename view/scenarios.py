"""`/scenarios`: of each scenario of the catalogue how many incidents, the last seven days, and its open alerts. Duty tokens only.

A scenario is a set of incident classes, so its counts are finer than what is published without a duty token.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from view.answers import stamp
from view.parts import Parts, Pulse
from view.state import HIGHEST
from view.who import Who
from view.windows import DAY

DAYS: Final = 7


def scenarios(parts: Parts, pulse: Pulse, who: Who, area: str) -> dict[str, Any]:
    """The body: `days` are local days, oldest first; the last one is today by the watermark and not over."""
    last = (pulse.watermark or parts.now()).astimezone(parts.zone).date()
    days = [last - number * DAY for number in range(DAYS - 1, -1, -1)]
    counts = _counts(parts, who, area, days[0], last)
    alerts = _alerts(parts, who, area)
    items = []
    for one in parts.catalogue.scenarios:
        classes = set(one.incident_classes)
        inside = [level for code, level in alerts if code in classes]
        items.append(
            {
                "id": one.id,
                "days": [sum(counts.get((day, code), 0) for code in classes) for day in days],
                "level": HIGHEST - min(inside) if inside else 0,
                "alerts": len(inside),
            }
        )
    return stamp(pulse) | {"area": area, "days": days, "items": items}


def _counts(parts: Parts, who: Who, area: str, first: date, last: date) -> dict[tuple[date, str], int]:
    inside = who.scope.condition()
    rows = parts.ask(
        "SELECT day, incident_class, sum(incidents) AS n FROM counts_day WHERE day >= {first:Date} AND day <= {last:Date} "
        f"AND startsWith(grid, {{area:String}}) AND {inside.sql} GROUP BY day, incident_class",
        {"first": f"{first}", "last": f"{last}", "area": area} | inside.parameters,
    )
    return {(row["day"], row["incident_class"]): int(row["n"]) for row in rows}


def _alerts(parts: Parts, who: Who, area: str) -> list[tuple[str, int]]:
    """Class and level of open alerts."""
    inside = who.scope.condition("area")
    rows = parts.ask(
        "SELECT incident_class, level FROM v_alerts WHERE is_open AND incident_class != '' "
        f"AND startsWith(area, {{area:String}}) AND {inside.sql}",
        {"area": area} | inside.parameters,
    )
    return [(row["incident_class"], int(row["level"])) for row in rows]
