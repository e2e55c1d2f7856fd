"""`/response/mediation` and `/response/change`: disputes by the level that tried to settle them, and incidents against earlier periods.

Both count inside the scope what `v_mediation` and `v_incidents_change` publish for areas (docs/decisions/0033-response-figures.md).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any, NamedTuple

from schemas import figures
from view.answers import stamp
from view.city import CATEGORIES, COLUMN
from view.counts import LETTER
from view.parts import Parts, Pulse
from view.who import Who
from view.windows import DAY

MEDIATION_LEVELS = ("community", "town", "banner")


def mediation(parts: Parts, pulse: Pulse, who: Who, month: date) -> dict[str, Any]:
    """The body: of each level how many disputes, how many of them were settled, with the interval of that share."""
    inside = who.scope.condition()
    rows = parts.ask(
        "SELECT toInt64(mediation) AS tried, toInt64(count()) AS disputes, toInt64(countIf(resolved IS NOT NULL)) AS settled, "
        "toInt64(countIf(resolved IS NULL AND closed IS NOT NULL)) AS failed, "
        "toInt64(countIf(resolved IS NULL AND closed IS NULL)) AS pending "
        f"FROM v_response_cases WHERE mediation > 0 AND month = {{month:Date}} AND {inside.sql} GROUP BY tried ORDER BY tried",
        {"month": f"{month}"} | inside.parameters,
    )
    return stamp(pulse) | {"month": month, "items": [_settled(row) for row in rows]}


def _settled(row: dict[str, Any]) -> dict[str, Any]:
    share = figures.wilson(row["settled"], row["disputes"])
    known = {name: row[name] for name in ("disputes", "settled", "failed", "pending")}
    return {"level": MEDIATION_LEVELS[row["tried"] - 1], **known, "share": share.share, "lo": share.low, "hi": share.high}


class Period(NamedTuple):
    """Whole local days, both ends included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first) // DAY + 1


def periods(month: date, oldest: date, newest: date) -> tuple[Period, Period | None, Period | None]:
    """A month and what it is held against: the month before, and the same month a year before; None: begins before the data.

    `newest` is the last whole day. While the month goes on, the others have as many days, at most their own.
    """
    end = _last_day(month)
    now = Period(month, min(end, newest))
    earlier = []
    for back in (1, 12):
        first = date(month.year - (month.month <= back), (month.month - back - 1) % 12 + 1, 1)
        last = _last_day(first) if newest >= end else min(first + timedelta(days=now.days - 1), _last_day(first))
        earlier.append(None if first < oldest else Period(first, last))
    return now, earlier[0], earlier[1]


def _last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def change(parts: Parts, pulse: Pulse, who: Who, month: date) -> dict[str, Any]:
    """The body: incidents of each category in a month, the month before, and a year before, with exact tests of one rate."""
    (span,) = parts.ask("SELECT min(day) AS oldest, max(day) AS newest FROM counts_day", {})
    now, before, last_year = periods(month, span["oldest"], span["newest"] - DAY)
    if now.days < 1 or month < span["oldest"].replace(day=1):
        return stamp(pulse) | {"month": month, "days": 0, "days_previous": None, "days_last_year": None, "items": []}
    counted = [_counted(parts, who, period) if period else None for period in (now, before, last_year)]
    items = [
        _changed(category, [one[at] if one is not None else None for one in counted], (now, before, last_year))
        for at, category in enumerate(CATEGORIES)
        if any(one is not None and one[at] for one in counted)
    ]
    days = {"days": now.days, "days_previous": before and before.days, "days_last_year": last_year and last_year.days}
    return stamp(pulse) | {"month": month, **days, "items": items}


def _counted(parts: Parts, who: Who, period: Period) -> list[int]:
    inside = who.scope.condition()
    rows = parts.ask(
        f"SELECT {LETTER} AS letter, toInt64(sum(incidents)) AS n FROM v_counts_day "
        f"WHERE day >= {{first:Date}} AND day <= {{last:Date}} AND {inside.sql} GROUP BY letter",
        {"first": f"{period.first}", "last": f"{period.last}"} | inside.parameters,
    )
    found = [0] * len(CATEGORIES)
    for row in rows:
        found[COLUMN[row["letter"]]] += row["n"]
    return found


def _changed(category: str, counts: list[int | None], of: tuple[Period, Period | None, Period | None]) -> dict[str, Any]:
    current = counts[0] or 0
    told: dict[str, Any] = {"category": category, "incidents": current}
    for name, n, period in zip(("previous", "last_year"), counts[1:], of[1:], strict=True):
        found = figures.change(current, n, of[0].days, period.days if period else 1)
        told |= {name: n, f"{name}_change": found.change, f"{name}_p": found.p}
    return told
