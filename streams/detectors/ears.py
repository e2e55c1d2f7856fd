"""EARS C1, C2 and C3: is the newest count above what its own last seven let expect?

Source   Hutwagner et al. 2003; formulas as R `surveillance` has them, C3 by its definition: R's code of C3 ignores the day
         it judges, against its own manual.
Traps    Seven zeros have no deviation, so `min_sigma` and `min_count`; counts are no normal numbers, so the watch asks an
         exact test besides (docs/decisions/0028).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue
from scipy.special import betainc, ndtri

from streams.detectors.protocol import Floats, Judged

BASELINE: Final = 7
GUARD: Final = 2
"""Periods between the baseline and the judged one, so that a slow rise does not hide itself."""


@dataclass(frozen=True, slots=True)
class EarsC2:
    """C2 with a least deviation and a least count, and the chance of so many by an exact test.

    Upper  mean + z(1 - alpha) * max(sd, min_sigma) of the baseline; an alarm is strictly above it.
    p      `excess_p`: of a count that has the rate of its baseline. The family of tests is corrected by it.
    """

    alpha: float = 0.001
    min_sigma: float = 1.0
    min_count: float = 5.0
    min_baseline: int = 5
    """Values of the baseline that have to be known."""
    name: str = "ears_c2"
    lags: tuple[int, ...] = tuple(range(GUARD + BASELINE, GUARD, -1))

    def parameters(self) -> dict[str, JsonValue]:
        """All that decides."""
        return {name: value for name, value in asdict(self).items() if name not in {"name", "lags"}} | {
            "baseline": BASELINE,
            "guard": GUARD,
        }

    def judge(self, observed: Floats, baseline: Floats) -> Judged:
        """Judge many series at once."""
        known = np.count_nonzero(~np.isnan(baseline), axis=1)
        enough = known >= self.min_baseline
        # A row that is not judged gets a baseline of zeros, so that no mean is taken of nothing.
        filled = np.where(enough[:, None], baseline, 0.0)
        mean = np.nanmean(filled, axis=1) if len(filled) else np.zeros(0)
        sd = np.nanstd(filled, axis=1, ddof=1) if len(filled) else np.zeros(0)
        upper = np.where(enough, mean + ndtri(1 - self.alpha) * np.maximum(sd, self.min_sigma), np.nan)
        p = np.where(enough, excess_p(observed, np.nansum(filled, axis=1), np.maximum(known, 1), sd), 1.0)
        alarm = enough & (observed >= self.min_count) & (observed > np.nan_to_num(upper, nan=np.inf))
        return Judged(np.where(enough, mean, np.nan), upper, p, alarm)


def excess_p(observed: Floats, total: Floats, periods: NDArray[np.intp], sd: Floats) -> Floats:
    """Chance of at least `observed` in one period when `periods` with the same rate gave `total`.

    Exact for Poisson counts: given the sum of all, the newest is binomial with 1/(periods + 1) (Przyborowski and
    Wilenski 1940). Counts that vary more than Poisson's are divided by variance/mean of the baseline first (quasi-Poisson);
    the binomial tail is the regularized incomplete beta function, which takes fractions.
    """
    mean = total / periods
    phi = np.maximum(1.0, np.divide(sd**2, mean, out=np.ones_like(mean), where=mean > 0))
    tail: Floats = betainc(np.maximum(observed, 1e-9) / phi, total / phi + 1.0, 1.0 / (periods + 1.0))
    return np.where(observed > 0, tail, 1.0)


def c1_upper(series: Floats, alpha: float = 0.001, min_sigma: float = 0.0) -> Floats:
    """Upper bound of every value of a series by the seven before it; NaN for the first seven."""
    return _upper(series, 0, alpha, min_sigma)


def c2_upper(series: Floats, alpha: float = 0.001, min_sigma: float = 0.0) -> Floats:
    """The same with two values between baseline and judged one; NaN for the first nine."""
    return _upper(series, GUARD, alpha, min_sigma)


def c3_statistic(series: Floats, min_sigma: float = 0.5) -> Floats:
    """Sum over the last three values of max(0, C2 - 1), by its definition; NaN for the first eleven.

    An alarm is at least z(1 - alpha), usually of alpha 0.025.
    """
    mean, sd = _moments(series, GUARD)
    over = np.maximum(0.0, (series - mean) / np.maximum(sd, min_sigma) - 1.0)
    lagged: Floats = over + np.concatenate([[np.nan], over[:-1]]) + np.concatenate([[np.nan, np.nan], over[:-2]])
    return lagged


def _upper(series: Floats, guard: int, alpha: float, min_sigma: float) -> Floats:
    mean, sd = _moments(series, guard)
    upper: Floats = mean + ndtri(1 - alpha) * np.maximum(sd, min_sigma)
    return upper


def _moments(series: Floats, guard: int) -> tuple[Floats, Floats]:
    """Mean and sample deviation of the seven values that end `guard` before each."""
    mean, sd = np.full(len(series), np.nan), np.full(len(series), np.nan)
    first = BASELINE + guard
    if len(series) > first:
        windows = np.lib.stride_tricks.sliding_window_view(series, BASELINE)[: len(series) - first]
        mean[first:], sd[first:] = windows.mean(axis=1), windows.std(axis=1, ddof=1)
    return mean, sd
