"""A screen never forgets a key, and seldom takes a new one for a known one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.screen import Keys, Screen

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=50).map(lambda numbers: np.array(numbers, np.uint64))


def hashes(count: int, seed: int) -> Keys:
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


@given(st.lists(HASHES, max_size=4), st.integers(1, 40))
def test_no_key_is_missed(parts: list[Keys], room: int) -> None:
    """Also when far more keys come than there is room for."""
    screen = Screen(room)
    for keys in parts:
        screen.add(keys)

    assert all(screen.contains(keys).all() for keys in parts)


def test_an_empty_screen_knows_nothing() -> None:
    assert not Screen(100).contains(hashes(1_000, 1)).any()


@pytest.mark.parametrize("room", [65_536, 100_000])
def test_a_full_screen_raises_few_false_alarms(room: int) -> None:
    """One key a word is the most it is made for: about 1 in a million; 3 in 400,000 would still be rare."""
    screen = Screen(room)
    screen.add(hashes(room, 1))

    assert np.count_nonzero(screen.contains(hashes(400_000, 2))) <= 6
