"""From counts to findings: sums over areas against a plain count, one finding an incident, missing is not zero."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.places import PREFIX, Level
from streams.detectors import DETECTORS
from streams.findings import Finding, find
from streams.tally import LEVELS, Rows, Tally

GRIDS = [f"15062700{town}00{community}00{grid}" for town in (1, 2) for community in (1, 2) for grid in (1, 2, 3)]
AREAS: list[tuple[Level, str]] = sorted({(level, grid[: PREFIX[level]]) for level in LEVELS for grid in GRIDS})
CATEGORIES = {"S01": "public_safety", "S04": "public_safety", "D01": "disputes"}
DAYS = 20
EVERY_DAY = np.ones(DAYS, bool)


def rows(counts: Counter[tuple[int, str, str]]) -> Rows:
    keys = list(counts)
    return Rows(
        np.array([key[0] for key in keys], np.int64), [key[1] for key in keys], [key[2] for key in keys],
        np.array([float(counts[key]) for key in keys]),
    )  # fmt: skip


def findings(
    counts: Counter[tuple[int, str, str]], known: np.ndarray[tuple[int], np.dtype[np.bool_]] = EVERY_DAY
) -> list[Finding]:
    tally = Tally(rows(counts), AREAS, CATEGORIES)
    return find(tally, DETECTORS["ears_c2"], 0, DAYS, 1, known, 0)


def usual() -> Counter[tuple[int, str, str]]:
    return Counter({(day, grid, "D01"): 2 + (day + n) % 2 for day in range(DAYS) for n, grid in enumerate(GRIDS)})


EVENT = st.tuples(st.integers(100, 105), st.sampled_from([*GRIDS, "999999001001001"]), st.sampled_from([*CATEGORIES, "U00"]))


@settings(deadline=None)
@given(st.lists(EVENT, max_size=40))
def test_sums_over_areas_and_categories_are_those_of_a_plain_count(events: list[tuple[int, str, str]]) -> None:
    tally = Tally(rows(Counter(events)), AREAS, CATEGORIES)
    wanted: Counter[tuple[int, str, str, str | None]] = Counter()
    for day, grid, name in events:
        for level, area in AREAS:
            if name in CATEGORIES and grid[: PREFIX[level]] == area:
                wanted[day, area, CATEGORIES[name], name] += 1
                wanted[day, area, CATEGORIES[name], None] += 1
    series, periods, counts = tally.at_least(1, 0, 1000)
    found = Counter(
        {
            (int(period), subject.area, subject.category, subject.incident_class): int(count)
            for number, period, count in zip(series.tolist(), periods.tolist(), counts.tolist(), strict=True)
            for subject in [tally.subject(number)]
        }
    )

    assert found == wanted
    assert tally.counts(series, periods).tolist() == counts.tolist()
    assert not tally.counts(series, periods + 1000).any()
    assert tally.series == len(AREAS) * 5


def test_a_usual_day_is_none() -> None:
    assert findings(usual()) == []


@pytest.mark.parametrize(("spread", "level"), [(1, "grid"), (3, "community"), (6, "town"), (12, "banner")])
def test_an_incident_is_told_once_where_the_evidence_is_strongest(spread: int, level: str) -> None:
    counts = usual()
    for n in range(36):
        counts[15, GRIDS[n % spread], "S04"] += 1
    (found,) = findings(counts)

    assert (found.period, found.subject.level, found.subject.incident_class) == (15, level, "S04")
    assert found.subject.area == GRIDS[0][: PREFIX[found.subject.level]]
    assert (found.observed, found.expected, found.baseline) == (36.0, 0.0, (0.0,) * 7)
    assert found.q <= 0.01
    assert found.upper == pytest.approx(3.090232306)


def test_two_incidents_are_two() -> None:
    counts = usual()
    counts[15, GRIDS[0], "S04"] = counts[15, GRIDS[-1], "S01"] = 20

    assert {(found.subject.area, found.subject.incident_class) for found in findings(counts)} == {
        (GRIDS[0], "S04"),
        (GRIDS[-1], "S01"),
    }


def test_a_category_alarms_by_what_no_class_has_told() -> None:
    """Four of each class are too few for either, and together they are not."""
    counts = usual()
    for name in ("S01", "S04"):
        counts[15, GRIDS[0], name] = 4
    (found,) = findings(counts)
    assert (found.subject.incident_class, found.observed) == (None, 8.0)

    counts[15, GRIDS[0], "S04"], counts[15, GRIDS[0], "S01"] = 20, 2
    (found,) = findings(counts)
    assert (found.subject.incident_class, found.observed) == ("S04", 20.0)


def test_neighbours_are_the_other_areas_of_the_parent() -> None:
    counts = usual()
    counts[15, GRIDS[1], "D01"] = 40
    (found,) = findings(counts)

    assert [area for area, _, _ in found.neighbours] == [GRIDS[0], GRIDS[2]]
    assert all(observed in (2.0, 3.0) and 2.3 < expected < 2.7 for _, observed, expected in found.neighbours)


def test_days_on_which_a_source_was_silent_are_missing_and_not_zero() -> None:
    counts = Counter({key: n for key, n in usual().items() if not 5 <= key[0] < 13})
    heard = np.array([not 5 <= day < 13 for day in range(DAYS)])

    assert findings(counts), "seven zeros let everything look like a spike"
    assert findings(counts, heard) == []
