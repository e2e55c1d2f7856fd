"""How old blocks become: a pure rule of the loader's busy share."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.pace import OLDEST_MS, WANTED, Limit, next_block_age

LEAST = 500


@pytest.mark.parametrize(
    ("now", "busy", "expected"),
    [
        (500, 0.0, 500),  # idle: as young as allowed
        (500, WANTED, 500),
        (1_000, WANTED, 1_000),  # just right: stays
        (1_000, 2 * WANTED, 1_250),
        (1_000, 0.75, 1_125),
        (2_000, 0.25, 1_750),
        (4_000, 0.0, 3_000),
        (3_600, 1.0, OLDEST_MS),  # a backlog keeps it at the oldest
        (OLDEST_MS, 1.0, OLDEST_MS),
    ],
)
def test_the_age_follows_the_loader(now: int, busy: float, expected: int) -> None:
    assert next_block_age(now, busy, LEAST) == expected


@given(st.integers(1, 10_000), st.floats(0, 5), st.integers(1, 10_000))
@settings(derandomize=True, deadline=None)
def test_the_age_stays_between_the_setting_and_the_oldest(now: int, busy: float, least: int) -> None:
    """A setting above OLDEST_MS is the deployment's word."""
    assert least <= next_block_age(now, busy, least) <= max(OLDEST_MS, least)


@given(st.integers(LEAST, OLDEST_MS), st.floats(0, 1), st.floats(0, 1))
@settings(derandomize=True, deadline=None)
def test_a_busier_loader_never_gets_younger_blocks(now: int, busy: float, more: float) -> None:
    low, high = sorted((busy, more))
    assert next_block_age(now, low, LEAST) <= next_block_age(now, high, LEAST)


@pytest.mark.parametrize("start", [LEAST, 1_234, OLDEST_MS])
def test_an_idle_loader_leads_back_to_the_setting_and_a_late_one_to_the_oldest(start: int) -> None:
    age = start
    for _ in range(10):
        age = next_block_age(age, 0.0, LEAST)
    assert age == LEAST
    for _ in range(10):
        age = next_block_age(age, 1.0, LEAST)
    assert age == OLDEST_MS


@pytest.mark.parametrize("late", [0, 1, 2, 3])
@pytest.mark.parametrize("milliseconds", [300, 500, 900, 1_500])
@pytest.mark.parametrize("start", [LEAST, OLDEST_MS])
def test_the_age_settles_though_what_the_loader_says_is_late(late: int, milliseconds: int, start: int) -> None:
    """A round of blocks costs the loader so many milliseconds, whatever their age: half of its time is the age twice that long."""
    ages = [start] * (late + 1)
    for _ in range(40):
        ages.append(next_block_age(ages[-1], min(1.0, milliseconds / ages[-1 - late]), LEAST))

    assert all(abs(age - 2 * milliseconds) < 0.1 * 2 * milliseconds for age in ages[-10:])


@given(st.integers(1, 5_000), st.lists(st.tuples(st.integers(1, 5_000), st.floats(0, 3)), min_size=1, max_size=50))
@settings(derandomize=True, deadline=None)
def test_a_limit_is_kept_over_any_span(per_second: int, work: list[tuple[int, float]]) -> None:
    """Between the beginnings of two lots lies at least the time that the lots from the first on have."""
    limit, now = Limit(per_second), 0.0
    begun: list[tuple[float, int]] = []
    for records, idle in work:
        now += idle
        now += limit.wait(limit.most(records), now)
        begun.append((now, limit.most(records)))
    for number, (first, _) in enumerate(begun):
        for later in range(number, len(begun)):
            lots = sum(records for _, records in begun[number:later])
            assert lots <= per_second * (begun[later][0] - first) + 1e-6 * per_second


def test_no_limit_lets_everything_through_at_once() -> None:
    assert Limit(0).most(50_000) == 50_000
    assert [Limit(0).wait(50_000, now) for now in (0.0, 0.0)] == [0.0, 0.0]
