"""Covered ranges against a plain set of offsets."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sinks.covered import Covered

RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda r: (r[0], r[0] + r[1])), max_size=12)


@given(RANGES)
def test_ranges_in_any_order_cover_what_a_set_of_offsets_covers(ranges: list[tuple[int, int]]) -> None:
    covered = Covered()
    for first, last in ranges:
        covered.add(first, last)
    naive = {offset for first, last in ranges for offset in range(first, last + 1)}

    assert covered.contains(np.arange(80)).tolist() == [offset in naive for offset in range(80)]
    assert covered.last == max(naive, default=None)
    inside = range(min(naive, default=0), max(naive, default=0))
    assert {o for first, last in covered.holes() for o in range(first, last + 1)} == set(inside) - naive
    assert {o for first, last in covered.ranges() for o in range(first, last + 1)} == naive


@given(RANGES)
def test_ranges_stay_apart_and_in_order(ranges: list[tuple[int, int]]) -> None:
    found = Covered(ranges).ranges()

    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(found))


def test_a_block_that_comes_late_is_not_covered_by_a_later_one() -> None:
    """A high-water mark would drop 10 to 19."""
    covered = Covered([(0, 9), (20, 29)])

    assert covered.contains(np.array([9, 10, 19, 20])).tolist() == [True, False, False, True]
    assert covered.holes() == [(10, 19)]
