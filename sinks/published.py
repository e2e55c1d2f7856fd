"""What people without a duty may see, taken at a moment: `v_public_incidents` and `v_public_response` read what is written here.

Hiding small cells looks at whole trees of totals over all of the time, which takes seconds at a city with years of cases
(docs/decisions/0065-published-at-a-moment.md).
"""

from __future__ import annotations

from collections.abc import Callable

from sinks.beside import table_beside
from sinks.rebuild import replace_partition
from sinks.store import Store

MODEST = "SETTINGS max_threads = 1"
YEARS = "SELECT DISTINCT toYear(month) AS year FROM v_response_cases ORDER BY year"


def publish(store: Store, check: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Write both tables anew, each in one step. Rows by table.

    `check` is called between statements and may raise: what was published before stays.
    """
    years = [int(year) for (year,) in store.query(YEARS)]
    response = [f"SELECT * FROM public_response_now WHERE toYear(month) = {year}" for year in years]  # a year needs less memory
    return {
        "public_incidents": _publish(store, "public_incidents", ["SELECT * FROM public_incidents_now"], check),
        "public_response": _publish(store, "public_response", response, check),
    }


def _publish(store: Store, table: str, parts: list[str], check: Callable[[], None]) -> int:
    with table_beside(store, table) as beside:
        for part in parts:
            check()
            store.command(f"INSERT INTO {beside} {part} {MODEST}")
        ((rows,),) = store.query(f"SELECT count() FROM {beside}")
        check()
        replace_partition(store, table, beside, "all")
    return int(rows)
