"""How old blocks become: a pure rule of the loader's busy share."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.pace import OLDEST_MS, WANTED, next_block_age

LEAST = 500


@pytest.mark.parametrize(
    ("now", "busy", "expected"),
    [
        (500, 0.0, 500),  # idle: as young as allowed
        (500, WANTED, 500),
        (1_000, WANTED, 1_000),  # just right: stays
        (1_000, 2 * WANTED, 2_000),
        (1_000, 0.75, 1_500),
        (2_000, 0.25, 1_000),
        (4_000, 0.0, 2_000),  # never more than halved
        (3_000, 1.0, OLDEST_MS),  # a backlog keeps it at the oldest
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
    for _ in range(5):
        age = next_block_age(age, 0.0, LEAST)
    assert age == LEAST
    for _ in range(5):
        age = next_block_age(age, 1.0, LEAST)
    assert age == OLDEST_MS
