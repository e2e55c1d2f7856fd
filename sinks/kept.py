"""Cases as the response views judge them, kept by month: a pass judges those that were touched since the last one.

Nothing depends on it but time: the views take from `response_kept` only cases that no insert has touched since `since` of the
newest pass, and judge all others, and all of them when tiers or classes have changed or the store was held since
(docs/decisions/0064-kept-response-cases.md).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple
from uuid import uuid4

from schemas.errors import CitybrainError
from sinks.beside import table_beside
from sinks.holds import Holds
from sinks.rebuild import replace_partition
from sinks.store import Store

KEPT: Final = "response_kept"
MARGIN_SECONDS: Final = 120
"""An insert is seen some time after its `stored_at`; no insert takes so long."""
CASES_A_STATEMENT: Final = 100_000
"""So that a statement takes seconds and some hundred megabytes."""
STATE: Final = (
    "SELECT pass, since, now64(3) AS began, subtractSeconds(began, {margin:UInt32}) AS until, (SELECT basis FROM response_basis), "
    "toUnixTimestamp(since) = 0 FROM response_since"
)
BOUNDS: Final = (
    "SELECT hex(case_id) FROM (SELECT case_id, row_number() OVER (ORDER BY case_id) AS n FROM ({})) "
    f"WHERE n % {CASES_A_STATEMENT} = 0"
)
PIECE: Final = "case_id > unhex('{0}') AND ('{1}' = '' OR case_id <= unhex('{1}'))"
NEWEST: Final = "SELECT argMax(pass, at) AS newest FROM response_passes"
MODEST: Final = "SETTINGS max_threads = 1, max_partitions_per_insert_block = 1000"


class Pass(NamedTuple):
    """What one pass did: cases judged, and months written again."""

    cases: int
    months: list[str]


class Overtaken(CitybrainError):
    """Another pass ended meanwhile, or the tiers changed: what this one wrote may be older."""

    retryable = True


def keep(store: Store, check: Callable[[], None] = lambda: None, *, margin_seconds: int = MARGIN_SECONDS) -> Pass | None:
    """One pass; None when nothing was touched, or the store is held. `margin_seconds=0` only where nobody else inserts.

    `check` is called between statements and may raise: nothing is lost then. Overtaken: run it again.
    """
    if Holds(store).in_force():
        return None
    ((seen, since, began, until, basis, anew),) = store.query(STATE, {"margin": margin_seconds})
    touched = f"SELECT case_id FROM cases WHERE stored_at >= {_time(since)}"
    if not store.query("SELECT 1 FROM cases LIMIT 1" if anew else f"{touched} LIMIT 1"):
        return None
    mine = str(uuid4())
    with table_beside(store, KEPT) as beside:
        bounds = [str(case) for (case,) in store.query(BOUNDS.format("SELECT case_id FROM cases" if anew else touched))]
        for above, to in pairwise(["", *bounds, ""]):
            check()
            store.command(f"INSERT INTO {beside} SELECT * FROM response_now WHERE {PIECE.format(above, to)} {MODEST}")
        ((cases,),) = store.query(f"SELECT count() FROM {beside}")
        listed = "SELECT DISTINCT toString(toYYYYMM(month)) FROM {} WHERE {}"
        wanted = (
            f"{listed.format(beside, '1')} UNION DISTINCT {listed.format(KEPT, '1' if anew else f'case_id IN ({touched})')}"
        )
        months = sorted(str(month) for (month,) in store.query(wanted))
        if not anew:
            others = f"toString(toYYYYMM(month)) IN ({', '.join(repr(month) for month in months) or repr('')})"
            store.command(f"INSERT INTO {beside} SELECT * FROM {KEPT} WHERE {others} AND case_id NOT IN ({touched}) {MODEST}")
        for month in months:
            check()
            _check_newest(store, str(seen))
            replace_partition(store, KEPT, beside, month)
    _note(store, mine, str(seen), began, until, int(basis))
    return Pass(int(cases), months)


def _note(store: Store, mine: str, seen: str, began: datetime, since: datetime, basis: int) -> None:
    """Say up to when the kept cases are whole, if nothing else was said meanwhile. Else that they are not."""
    columns = "INSERT INTO response_passes (pass, began, since, basis)"
    store.command(
        f"{columns} SELECT '{mine}', {_time(began)}, {_time(since)}, {basis} FROM ({NEWEST}) "
        f"WHERE newest = '{seen}' AND {basis} = (SELECT basis FROM response_basis)"
    )
    try:
        _check_newest(store, mine)
    except Overtaken:
        store.command(f"{columns} VALUES ('{mine}', 0, 0, 0)")
        raise


def _check_newest(store: Store, wanted: str) -> None:
    if store.query(NEWEST) != [(wanted,)]:
        message = (
            "another pass over the response figures ended meanwhile, or their tiers changed; what this one wrote may not count"
        )
        raise Overtaken(message)


def _time(at: datetime) -> str:
    return f"toDateTime64('{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}', 3, 'UTC')"
