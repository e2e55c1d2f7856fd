"""What dashboards read is taken at a moment: what people without a duty may see, and the city's figures of months.

Hiding small cells looks at whole trees of totals over all of the time, which takes seconds at a city with years of cases
(docs/decisions/0065-published-at-a-moment.md), and planning the views of response figures a tenth of a second
(docs/decisions/0069-months-taken.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sinks.beside import table_beside
from sinks.rebuild import replace_partition
from sinks.store import Store

MODEST = "SETTINGS max_threads = 1"
YEARS = "SELECT DISTINCT toYear(month) AS year FROM v_response_cases ORDER BY year"
TAKEN: Final[dict[str, str]] = {
    "public_incidents": "public_incidents_now",
    "public_response": "public_response_now WHERE toYear(month) = {year}",  # a year needs less memory
    "response_tiers_taken": "v_response_tiers WHERE toYear(month) = {year}",
    "response_bands_taken": "v_response_bands WHERE toYear(month) = {year}",
    "mediation_taken": "v_mediation WHERE toYear(month) = {year}",
    "incidents_change_taken": "v_incidents_change WHERE level = 'banner'",
}
"""Tables, and the view that each holds the rows of."""


def publish(store: Store, check: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Write all tables anew, each in one step. Rows by table.

    `check` is called between statements and may raise: what was published before stays.
    """
    years = [int(year) for (year,) in store.query(YEARS)]
    return {table: _publish(store, table, _parts(view, years), check) for table, view in TAKEN.items()}


def _parts(view: str, years: list[int]) -> list[str]:
    return [view.format(year=year) for year in years] if "{year}" in view else [view]


def _publish(store: Store, table: str, parts: list[str], check: Callable[[], None]) -> int:
    with table_beside(store, table) as beside:
        for part in parts:
            check()
            store.command(f"INSERT INTO {beside} SELECT * FROM {part} {MODEST}")
        ((rows,),) = store.query(f"SELECT count() FROM {beside}")
        check()
        replace_partition(store, table, beside, "all")
    return int(rows)
