"""`/today`: incidents of the local day that goes on, and how many of them came late. Duty tokens only.

Late is what came longer after it happened than windows are waited for (`watch.lateness_minutes`): no window saw it in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from view.answers import stamp
from view.city import CATEGORIES, COLUMN
from view.counts import by_hour, hours_with_data
from view.parts import Parts, Pulse
from view.who import Scope, Who
from view.windows import Span, day_span, whole

LATE: Final = (
    "SELECT grid, incident_class, toInt64(count()) AS n FROM events "
    "PREWHERE at >= {start:DateTime('UTC')} AND at < {end:DateTime('UTC')} AND received_at > at + toIntervalSecond({late:UInt32}) "
    "WHERE stage IN ('', 'reported') GROUP BY grid, incident_class"
)
"""From the facts: when a record came stands in no rollup (docs/decisions/0060-late-incidents.md)."""
LATE_SECONDS: Final = 60
"""Late ones are counted anew so often, once for all who ask: it reads the times of a month."""


class Late(NamedTuple):
    """Late incidents of a day by grid and class, and when they were counted."""

    as_of: datetime
    counts: dict[tuple[str, str], int]

    def inside(self, scope: Scope, area: str, cat: str | None) -> int:
        """How many of a scope, an area and a category or class."""
        return sum(
            n
            for (grid, incident_class), n in self.counts.items()
            if scope.covers(grid)
            and (scope.classes is None or incident_class in scope.classes)
            and grid.startswith(area)
            and (cat is None or cat == incident_class or cat == CATEGORIES[COLUMN[incident_class[0]]])
        )


def today(parts: Parts, pulse: Pulse, who: Who, area: str, cat: str | None) -> dict[str, Any]:
    """The body; `incidents` and `late` are None while nobody said anything today."""
    span = day_span(parts.now().astimezone(parts.zone).date(), parts.zone)
    counted = parts.kept.get(("today", pulse.seq, who.scope, area, cat, span), lambda: _incidents(parts, who, span, area, cat))
    late = None if counted is None else _late(parts, pulse, span)
    return stamp(pulse) | {
        "area": area, "cat": cat, "day": span.day, "incidents": counted,
        "late": late and late.inside(who.scope, area, cat), "late_as_of": late and late.as_of,
        "late_after_minutes": int(parts.late_after / timedelta(minutes=1)),
    }  # fmt: skip


def _incidents(parts: Parts, who: Who, span: Span, area: str, cat: str | None) -> int | None:
    if not hours_with_data(parts.ask, span.start, span.end):
        return None
    return sum(by_hour(parts.ask, who.scope, area, cat, span.start, span.end).values())


def _late(parts: Parts, pulse: Pulse, span: Span) -> Late:
    def count() -> Late:
        values = {"start": whole(span.start), "end": whole(span.end), "late": int(parts.late_after.total_seconds())}
        rows = parts.ask(LATE, values)
        return Late(pulse.as_of, {(row["grid"], row["incident_class"]): int(row["n"]) for row in rows})

    return parts.kept.get(("late", span, int(pulse.as_of.timestamp()) // LATE_SECONDS), count)
