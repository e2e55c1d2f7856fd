"""What is expected beside what was counted. Pure.

Two models, and every answer says which: `ears_c2` for days, `same_hour` for hours. A step whose past is not known has no
expectation; None is never taken for 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Final, NamedTuple

from scipy.stats import binom

Counts = Sequence[int | None]

Z: Final = 3.09023
"""Upper 0.001 of the normal distribution."""
MIN_SIGMA: Final = 1.0
"""Least standard deviation: a quiet week does not make one event an alarm."""
LEAST_PAST: Final = 5
"""Known steps of the past without which nothing is expected."""
STANDS_OUT: Final = 3.0
"""Absolute score from which a change is flagged."""


class Model(NamedTuple):
    """Which earlier steps make the expectation of a step: `back[i]` steps before it."""

    name: str
    back: tuple[int, ...]

    @property
    def reach(self) -> int:
        """Steps before the first one that are needed."""
        return max(self.back)

    def told(self) -> dict[str, Any]:
        """The parameters, for the answer."""
        return {"name": self.name, "back": list(self.back), "z": Z, "min_sigma": MIN_SIGMA, "least_past": LEAST_PAST}


EARS_C2: Final = Model("ears_c2", tuple(range(9, 2, -1)))
"""CDC EARS C2: the seven days before a guard of two; mean + z * max(sd, min_sigma), sd with n - 1."""
SAME_HOUR: Final = Model("same_hour", tuple(24 * day for day in range(28, 0, -1)))
"""The same hour of the 28 days before."""


class Expected(NamedTuple):
    """Mean and upper bound of a step; both None where too little of the past is known."""

    mean: float | None
    upper: float | None


def expect(model: Model, counts: Counts) -> list[Expected]:
    """The expectation of every step from the steps before it."""
    found = []
    for now in range(len(counts)):
        past = [known for back in model.back if now >= back and (known := counts[now - back]) is not None]
        if len(past) < LEAST_PAST:
            found.append(Expected(None, None))
            continue
        mean = fmean(past)
        found.append(Expected(mean, mean + Z * max(stdev(past), MIN_SIGMA)))
    return found


def score(now: int, base: int) -> float:
    """2 (sqrt(now) - sqrt(base)): about a standard normal when nothing changed, also for small counts (Wheeler 2016)."""
    return 2 * (sqrt(now) - sqrt(base))


def p_of_change(now: int, base: int) -> float:
    """Two-sided exact test that two windows of one length have one rate: `now` of now + base is binomial with 1/2."""
    both = now + base
    if not both:
        return 1.0
    return float(min(1.0, 2 * binom.cdf(min(now, base), both, 0.5)))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """q-values: the false discovery rate at which each would just count (Benjamini and Hochberg 1995)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at], reverse=True)
    q_values, least = [1.0] * len(p_values), 1.0
    for rank, at in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[at] * len(p_values) / rank)
        q_values[at] = least
    return q_values
