"""Formulas against SciPy, against published numbers and against a naive version."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from schemas.figures import change, same_rate, wilson

COUNTS = st.integers(0, 400)


class TestWilson:
    @given(
        st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99])
    )
    def test_it_is_scipys(self, counts: tuple[int, int], confidence: float) -> None:
        met, n = counts
        found, wanted = wilson(met, n, confidence), binomtest(met, n).proportion_ci(confidence, "wilson")

        assert [found.low, found.high] == pytest.approx([wanted.low, wanted.high], abs=1e-12)
        assert found.share == met / n
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.share <= found.high <= 1

    def test_no_case_is_no_share(self) -> None:
        assert wilson(0, 0) == (0, 0, None, None, None)

    @pytest.mark.parametrize(("met", "n"), [(-1, 3), (4, 3), (0, -1)])
    def test_what_cannot_be_is_refused(self, met: int, n: int) -> None:
        with pytest.raises(ValueError, match=f"got met {met} and n {n}"):
            wilson(met, n)


class TestChange:
    def test_a_published_example(self) -> None:
        """47 cases after 80: -41.25 %, two-sided p = 0.00433."""
        found = change(47, 80)

        assert found.change == -0.4125
        assert found.p == pytest.approx(0.00433, abs=5e-6)

    def test_from_nothing_there_is_no_percentage_but_a_test(self) -> None:
        assert change(3, 0) == (3, 0, None, 0.25)
        assert change(0, 0) == (0, 0, None, None)

    def test_what_is_not_known_is_not_zero(self) -> None:
        assert change(3, None) == (3, None, None, None)

    @given(COUNTS, COUNTS)
    def test_both_directions_are_as_surprising(self, current: int, previous: int) -> None:
        assert same_rate(current, previous, 28, 31) == pytest.approx(same_rate(previous, current, 31, 28))

    @given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 31), st.integers(1, 31))
    def test_the_test_is_the_sum_of_all_that_is_no_likelier(self, current: int, previous: int, days: int, before: int) -> None:
        n, share = current + previous, days / (days + before)
        chances = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
        wanted = sum(chance for chance in chances if chance <= chances[current] * (1 + 1e-7))
        found = same_rate(current, previous, days, before)

        assert found is None if n == 0 else found == pytest.approx(wanted)

    def test_more_days_alone_are_no_change(self) -> None:
        p = same_rate(310, 280, 31, 28)
        assert p is not None
        assert p > 0.9
