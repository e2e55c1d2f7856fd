"""check-data itself: it has to go red."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.check_data import Stored, compare
from tests.recount import Bucket, Recount

BUCKET: Bucket = ("O07", "1A10", "2010-01-01 01")
GAP: Bucket = ("O07", "1A10", "2010-03-14 02")
AFTER_GAP: Bucket = ("O07", "1A10", "2010-03-14 03")


def days(hours: Counter[Bucket]) -> Counter[Bucket]:
    found: Counter[Bucket] = Counter()
    for (incident_class, area, hour), n in hours.items():
        found[incident_class, area, hour[:10]] += n
    return found


def problems(stored: Counter[Bucket], allowed: set[str], rows: int = 5_000, moved: int = 1) -> list[str]:
    """Compare a file of `rows` rows, `moved` of them in an hour that never was, with what is stored."""
    plain = Counter({BUCKET: rows - moved, GAP: moved})
    explained = Counter({BUCKET: rows - moved, AFTER_GAP: moved})
    wanted = Recount(rows, plain, explained, Counter(time_in_dst_gap=moved), 0, 0)
    return compare("houston", wanted, Stored(stored, days(stored), 0, 0, {}, None), allowed, 0.0).problems


def test_counts_that_differ_by_a_listed_reason_are_accepted() -> None:
    assert problems(Counter({BUCKET: 4_999, AFTER_GAP: 1}), {"time_in_dst_gap"}) == []


@pytest.mark.parametrize(
    ("stored", "allowed", "rows", "moved", "said"),
    [
        (Counter({BUCKET: 4_998, AFTER_GAP: 1}), {"time_in_dst_gap"}, 5_000, 1, "recount 4999, stored 4998"),
        (Counter({BUCKET: 4_999, GAP: 1}), {"time_in_dst_gap"}, 5_000, 1, "recount 1, stored 0"),
        (Counter({BUCKET: 4_999, AFTER_GAP: 1}), set(), 5_000, 1, "is not listed in the mapping"),
        (Counter({BUCKET: 4_990, AFTER_GAP: 10}), {"time_in_dst_gap"}, 5_000, 10, "wanted at most 0.1%"),
    ],
)
def test_everything_else_is_a_problem(stored: Counter[Bucket], allowed: set[str], rows: int, moved: int, said: str) -> None:
    assert any(said in problem for problem in problems(stored, allowed, rows, moved))
