"""Benjamini-Hochberg against SciPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from streams.detectors.family import benjamini_hochberg


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 60))
def test_it_is_scipys_with_the_tests_that_are_not_shown_at_one(p: list[float], others: int) -> None:
    wanted = false_discovery_control(np.array(p + [1.0] * others))[: len(p)]

    np.testing.assert_allclose(benjamini_hochberg(np.array(p), len(p) + others), wanted, atol=1e-12)


def test_no_test_is_no_value() -> None:
    assert benjamini_hochberg(np.zeros(0), 100).tolist() == []
