"""EARS against R surveillance's values on the synthetic series, C3 against its definition, and the exact test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom

from streams.detectors import DETECTORS
from streams.detectors.ears import EarsC2, c1_upper, c2_upper, c3_statistic, excess_p

X = np.array([3, 5, 4, 6, 2, 4, 5, 4, 3, 6, 5, 4, 12, 7, 5, 4, 3, 15, 20, 6, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 3], float)
"""Synthetic, free to use."""
BOUNDS = [
    8.29979258, 8.159525491, 7.989472753, 8.908783655, 8.29979258, 7.444329362, 14.81756731, 15.20112706, 15.09739758,
    14.77867363, 15.10681042, 21.35216639, 29.20421868, 28.34707582, 28.44848635, 28.59672259, 29.77363428, 30.57085179,
    26.92395867, 10.59236292, 8.129558157, 5.243420672,
]  # fmt: skip
"""C2 from t = 10 (R surveillance 1.20.3, alpha 0.001); C1 has the same from t = 8 and then two zeros."""
C3 = {12: 0.380585, 13: 4.156517, 14: 5.280494, 15: 5.280494, 16: 1.123977, 17: 0.0, 18: 2.057148, 19: 6.015775}


def alarms(upper: NDArray[np.float64]) -> list[int]:
    return [t + 1 for t in range(len(X)) if X[t] > upper[t]]


def test_c1_and_c2_have_the_bounds_and_alarms_of_r() -> None:
    np.testing.assert_allclose(c1_upper(X)[7:], [*BOUNDS, 0.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(c2_upper(X)[9:], BOUNDS, atol=1e-7)
    assert (alarms(c1_upper(X)), alarms(c2_upper(X))) == ([13, 31], [13, 19])


def test_a_least_deviation_lifts_the_bound_of_quiet_weeks_alone() -> None:
    np.testing.assert_allclose(
        c2_upper(X, min_sigma=1.0)[9:], [max(b, 7.518803735) if t == 5 else b for t, b in enumerate(BOUNDS)], atol=1e-7
    )
    assert alarms(c2_upper(X, min_sigma=1.0)) == [13, 19]
    assert alarms(c1_upper(X, min_sigma=1.0)) == [13], "three events after seven zeros are no alarm"


def test_c3_is_what_its_definition_says_and_not_what_r_computes() -> None:
    statistic = c3_statistic(X)

    assert np.isnan(statistic[:11]).all()
    for t, wanted in C3.items():
        assert statistic[t - 1] == pytest.approx(wanted, abs=1e-6)
    assert [t + 1 for t in range(len(X)) if statistic[t] >= 1.9599639845] == [13, 14, 15, 18, 19, 20, 21]


@pytest.mark.parametrize("length", [0, 1, 9, 10])
def test_a_short_series_has_no_bounds_it_cannot_have(length: int) -> None:
    assert np.isnan(c2_upper(X[:length])).sum() == min(length, 9)


def test_the_watch_judges_many_series_as_c2_judges_one() -> None:
    detector = EarsC2(min_count=0.0)
    windows = np.lib.stride_tricks.sliding_window_view(X, 10)
    judged = detector.judge(windows[:, -1], windows[:, :7])

    np.testing.assert_allclose(judged.upper, c2_upper(X, min_sigma=1.0)[9:])
    assert [10 + t for t in np.flatnonzero(judged.alarm)] == [13, 19]
    assert detector.lags == (9, 8, 7, 6, 5, 4, 3)


def test_what_is_not_known_is_not_judged_and_small_counts_are_left_alone() -> None:
    few = [1.0, np.nan, 2.0, np.nan, 1.0, np.nan, 0.0]
    enough = [1.0, np.nan, 2.0, 0.0, 1.0, np.nan, 0.0]
    judged = EarsC2().judge(np.array([50.0, 50.0, 4.0]), np.array([few, enough, [0.0] * 7]))

    assert judged.alarm.tolist() == [False, True, False]
    assert (np.isnan(judged.upper[0]), judged.p[0]) == (True, 1.0)
    assert EarsC2().judge(np.zeros(0), np.zeros((0, 7))).alarm.tolist() == []


@settings(deadline=None)
@given(st.integers(1, 60), st.lists(st.integers(0, 30), min_size=2, max_size=7))
def test_p_is_the_exact_binomial_tail_while_counts_vary_no_more_than_poissons(observed: int, baseline: list[int]) -> None:
    total, n = sum(baseline), len(baseline)
    (p,) = excess_p(np.array([float(observed)]), np.array([float(total)]), np.array([n]), np.zeros(1))

    assert p == pytest.approx(binom.sf(observed - 1, observed + total, 1 / (n + 1)), rel=1e-9)


def test_counts_that_vary_more_are_less_surprising() -> None:
    steady, wild = np.array([10.0] * 7), np.array([0, 30, 2, 28, 1, 9, 0.0])
    p = excess_p(np.full(2, 25.0), np.array([70.0, 70.0]), np.array([7, 7]), np.array([steady.std(ddof=1), wild.std(ddof=1)]))

    assert p[0] < 1e-3 < p[1]
    assert excess_p(np.zeros(1), np.zeros(1), np.array([7]), np.zeros(1)) == [1.0]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_names_itself_and_its_parameters(name: str) -> None:
    detector = DETECTORS[name]

    assert detector.name == name
    assert detector.parameters()
    assert all(lag > 0 for lag in detector.lags)
