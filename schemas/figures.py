"""Formulas of published figures: intervals of shares, change, and how surprising a change is. Pure."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Share(NamedTuple):
    """`met` of `n`, and the interval that covers the true share with the confidence asked for; all None without any case."""

    n: int
    met: int
    share: float | None
    low: float | None
    high: float | None


class Change(NamedTuple):
    """Counts of two periods. `change` is (current - previous) / previous, None when previous is 0 or not known."""

    current: int
    previous: int | None
    change: float | None
    p: float | None


def wilson(met: int, n: int, confidence: float = 0.95) -> Share:
    """Wilson's score interval of a share: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212, without continuity correction.

    >>> wilson(9, 10)
    Share(n=10, met=9, share=0.9, low=0.5958..., high=0.9821...)
    """
    if not 0 <= met <= n:
        message = f"wanted 0 <= met <= n, got met {met} and n {n}"
        raise ValueError(message)
    if not n:
        return Share(0, 0, None, None, None)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = met / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if met == 0 else max(0.0, middle - half)  # exactly, where rounding would leave 1e-17
    high = 1.0 if met == n else min(1.0, middle + half)
    return Share(n, met, share, low, high)


def change(current: int, previous: int | None, days: float = 1.0, days_previous: float = 1.0) -> Change:
    """Relative change of a count and the p-value of "the rate is the same". `days` are the lengths of the two periods.

    The relative change is of the counts as they are; the test allows for periods of different length.

    >>> change(47, 80)
    Change(current=47, previous=80, change=-0.4125, p=0.0043...)
    """
    if previous is None:
        return Change(current, None, None, None)
    ratio = (current - previous) / previous if previous else None
    return Change(current, previous, ratio, same_rate(current, previous, days, days_previous))


def same_rate(current: int, previous: int, days: float = 1.0, days_previous: float = 1.0) -> float | None:
    """Two-sided exact p-value that two Poisson counts have one rate; None when both are 0.

    Given their sum, the current count is Binomial(current + previous, days / (days + days_previous)): Przyborowski and
    Wilenski 1940, Biometrika 31, 313-323. Two-sided: all outcomes that are no likelier than the one seen.
    """
    from scipy.stats import binomtest  # late: it takes a second to import

    if not current + previous:
        return None
    return float(binomtest(current, current + previous, days / (days + days_previous)).pvalue)
