"""Response figures of one month: asked of the published views, with intervals and the exact test."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final, Literal, get_args

from citybrain.reading import Query
from schemas.errors import CitybrainError
from schemas.figures import change, wilson
from schemas.places import PREFIX
from schemas.response import STEPS

By = Literal["banner", "town", "community", "grid", "department", "tier"]
BY: Final[tuple[By, ...]] = get_args(By)
FIGURES: Final = "step, due, n, missing, disordered, judged, met, p50_seconds, p90_seconds"
NAMES: Final = "LEFT JOIN (SELECT level, code, name FROM areas FINAL) AS a"


class NoSuchMonth(CitybrainError):
    """No case was opened in the month that was asked for."""


def response(query: Query, by: By, month: date | None = None) -> dict[str, Any]:
    """Steps by area, department or tier, mediation by level, and change by category, of a month; None: the newest one.

    NoSuchMonth names the months there are.
    """
    month = _month(query, month)
    return {
        "month": f"{month:%Y-%m}",
        "by": by,
        "steps": [_with_share(row, "met", "judged") for row in _steps(query, by, month)],
        "mediation": [_with_share(row, "settled", "disputes") for row in _mediation(query, month)],
        "change": [_with_tests(row) for row in _change(query, month)],
    }


def _month(query: Query, wanted: date | None) -> date:
    """The month, if it has cases."""
    known = [
        date.fromisoformat(row["month"]) for row in _rows(query, "SELECT DISTINCT month FROM v_response_steps ORDER BY month")
    ]
    if not known:
        raise NoSuchMonth("no case is stored yet, so there are no response figures; `citybrain status` shows what is stored")
    if wanted is not None and wanted not in known:
        months = ", ".join(f"{month:%Y-%m}" for month in known[-12:])
        message = f"no case was opened in {wanted:%Y-%m}; months with cases: {months}"
        raise NoSuchMonth(message)
    return wanted or known[-1]


def _steps(query: Query, by: By, month: date) -> list[dict[str, Any]]:
    order = f"ORDER BY key, indexOf({list(STEPS)}, step)"
    if by in PREFIX:
        sql = (
            f"SELECT v.area AS key, a.name AS name, {FIGURES} FROM (SELECT * FROM v_response_levels WHERE level = '{by}' AND "
            f"month = '{month}') AS v {NAMES} ON a.code = v.area AND a.level = v.level {order}"
        )
    else:
        sql = f"SELECT {by} AS key, '' AS name, {FIGURES} FROM v_response_{by}s WHERE month = '{month}' {order}"
    return _rows(query, sql)


def _mediation(query: Query, month: date) -> list[dict[str, Any]]:
    return _rows(
        query,
        "SELECT mediation_level AS level, sum(disputes) AS disputes, sum(settled) AS settled, sum(failed) AS failed, "
        f"sum(pending) AS pending FROM v_mediation WHERE month = '{month}' GROUP BY level "
        "ORDER BY indexOf(['community', 'town', 'banner'], level)",
    )


def _change(query: Query, month: date) -> list[dict[str, Any]]:
    """Sums over all banners; a period is known for all of them or for none."""
    return _rows(
        query,
        "SELECT category, any(days) AS days, sum(incidents) AS current, any(days_previous) AS days_previous, "
        "sumOrNull(previous) AS previous, any(days_last_year) AS days_last_year, sumOrNull(last_year) AS last_year "
        f"FROM v_incidents_change WHERE level = 'banner' AND month = '{month}' GROUP BY category ORDER BY category",
    )


def _with_share(row: dict[str, Any], met: str, of: str) -> dict[str, Any]:
    share = wilson(row[met], row[of])
    return row | {"share": share.share, "low": share.low, "high": share.high}


def _with_tests(row: dict[str, Any]) -> dict[str, Any]:
    found = dict(row)
    for before in ("previous", "last_year"):
        known = change(row["current"], row[before], row["days"], row[f"days_{before}"] or 1)
        found |= {f"{before}_change": known.change, f"{before}_p": known.p}
    return found


def _rows(query: Query, sql: str) -> list[dict[str, Any]]:
    answer = query(f"{sql} SETTINGS output_format_json_quote_64bit_integers = 0", "JSONEachRow")
    return [json.loads(line) for line in answer.splitlines()]
