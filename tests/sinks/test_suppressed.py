"""Suppressed views: small cells are hidden, and no total gives a hidden cell away; linear programming is the attacker."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from ingest.city import build_city
from ingest.outgoing import Outgoing
from sinks.published import publish
from sinks.store import Store
from tests.sinks.test_response import write

Table = dict[str, tuple[int | None, bool]]
MONDAY = date(2026, 10, 5)
CLASSES = {"O04": "public_order", "D01": "disputes", "S02": "public_safety", "C01": "cyber"}


def fill(store: Store, seed: int) -> dict[tuple[date, str], dict[str, int]]:
    """Weeks from empty to busy; returns the true count of every community."""
    chance = random.Random(seed)
    communities = sorted({grid.code[:12] for grid in build_city(1).places.grids})
    truth: dict[tuple[date, str], dict[str, int]] = {}
    rows = []
    for week in range(4):
        for code, category in CLASSES.items():
            density = chance.choice([0.02, 0.1, 0.3, 0.7, 1])
            most = chance.choice([1, 2, 5, 9, 40])
            monday = MONDAY + timedelta(weeks=week)
            counts = {area: chance.randint(1, most) if chance.random() < density else 0 for area in communities}
            truth[monday, category] = counts
            rows += [
                f"('{monday + timedelta(days=chance.randrange(7))}', '{area}001', '{code}', 'police', {n}, {n})"
                for area, n in counts.items()
                if n
            ]
    store.command(f"INSERT INTO counts_day (day, grid, incident_class, kind, events, incidents) VALUES {', '.join(rows)}")
    return truth


@pytest.fixture(scope="module", params=[1, 2, 3])
def published(
    request: pytest.FixtureRequest, module_store: Store
) -> tuple[dict[tuple[date, str], Table], dict[Any, dict[str, int]]]:
    """What v_public_incidents shows of each week and category, and the truth."""
    module_store.command("TRUNCATE TABLE counts_day")
    truth = fill(module_store, request.param)
    publish(module_store)
    tables: dict[tuple[date, str], Table] = defaultdict(dict)
    for week, category, area, shown, hidden in module_store.query(
        "SELECT week, category, area, incidents, hidden FROM v_public_incidents"
    ):
        tables[week, category][area] = (shown, bool(hidden))
    return dict(tables), truth


def true_count(counts: dict[str, int], area: str) -> int:
    return sum(n for community, n in counts.items() if community.startswith(area))


def test_every_small_cell_is_hidden_and_what_is_shown_is_true(published: Any) -> None:
    tables, truth = published
    seen = set()
    for key, table in tables.items():
        assert {area for area in table if len(area) == 12} == set(truth[key])
        for area, (shown, hidden) in table.items():
            count = true_count(truth[key], area)
            assert hidden == (shown is None)
            assert hidden or shown == count
            assert hidden or not 1 <= count <= 4
            seen.add((hidden, "small" if 1 <= count <= 4 else "zero" if count == 0 else "large"))
    assert seen >= {(True, "small"), (False, "zero"), (False, "large"), (True, "large")}


def test_zero_is_shown_as_zero_where_nothing_has_to_hide_behind_it(published: Any) -> None:
    tables, truth = published
    for key, table in tables.items():
        if all(count == 0 or count > 4 for count in truth[key].values()):
            assert not any(hidden for _, hidden in table.values())


def test_no_hidden_cell_can_be_computed_from_what_is_shown(published: Any) -> None:
    """Each hidden cell may have at least two values, by the best an attacker can do with all totals."""
    tables, _ = published
    attacked = 0
    for table in tables.values():
        unknown = [area for area, (_, hidden) in table.items() if hidden]
        for area in unknown:
            low, high = bounds(table, unknown, area)
            assert high - low >= 1, (area, low, high)
            attacked += 1
    assert attacked > 50


def bounds(table: Table, unknown: list[str], wanted: str) -> tuple[float, float]:
    """Least and greatest value of a hidden cell, given every sum of the tree and that counts are not negative."""
    rows, sums = [], []
    for parent in table:
        digits = {6: 9, 9: 12}.get(len(parent))
        if digits is None:
            continue
        children = [area for area in table if len(area) == digits and area.startswith(parent)]
        row, known = np.zeros(len(unknown)), 0
        for area, sign in ((parent, -1), *((child, 1) for child in children)):
            shown, hidden = table[area]
            if hidden:
                row[unknown.index(area)] = sign
            else:
                known += sign * (shown or 0)
        rows.append(row)
        sums.append(-known)
    goal = np.zeros(len(unknown))
    goal[unknown.index(wanted)] = 1
    found = [linprog(sign * goal, A_eq=np.array(rows), b_eq=sums, bounds=(0, 10_000), method="highs") for sign in (1, -1)]
    assert all(result.success for result in found), "the truth itself fits"
    return float(found[0].fun), float(-found[1].fun)


def test_hiding_only_the_small_ones_would_be_seen_by_this_attack(published: Any) -> None:
    """The test above can fail: with the small cells alone hidden, the attacker finds some exactly."""
    tables, truth = published
    found = 0
    for key, table in tables.items():
        naive: Table = {
            area: (None, True) if 1 <= (count := true_count(truth[key], area)) <= 4 else (count, False) for area in table
        }
        unknown = [area for area, (_, hidden) in naive.items() if hidden]
        for area in unknown:
            low, high = bounds(naive, unknown, area)
            found += high - low < 1
    assert found > 0


def test_departments_are_suppressed_together(store: Store) -> None:
    """One department with three measured cases takes the next smallest with it, percentiles and shares too."""
    events = []
    for department, cases in (("甲", 3), ("乙", 7), ("丙", 20)):
        for number in range(cases):
            told = {
                "case_id": f"{department}{number}",
                "grid": "150627001001001",
                "incident_class": "S02",
                "department": department,
            }
            for stage, seconds in (("reported", 0), ("accepted", 20)):
                at = datetime(2026, 10, 5, 1, number, seconds, tzinfo=UTC)
                events.append(Outgoing("police", "/s", f"{department}{number}{stage}", at, told | {"stage": stage}))
    write(store, events)
    publish(store)
    found = store.query(
        "SELECT area, n, share, p50_seconds, hidden FROM v_public_response WHERE level = 'department' AND step = 'accept'"
    )
    assert {row[0]: row[1:] for row in found} == {
        "甲": (None, None, None, 1), "乙": (None, None, None, 1), "丙": (20, 1.0, 20.0, 0),
    }  # fmt: skip
