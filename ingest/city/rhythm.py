"""When things happen: fixed numbers a week, shared out over its days, and hours of the day by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.city.geography import Indexes

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
HOURS: Final = np.array([2, 1, 1, 1, 1, 2, 3, 5, 7, 7, 7, 6, 6, 5, 6, 6, 6, 7, 7, 7, 6, 5, 4, 3], float)
POLICE_WEEK: Final = (1.0, 0.97, 0.96, 0.98, 1.06, 1.06, 0.97)
"""How busy each day is, Monday first. An own guess: the bulletin has only the week."""
GRID_WEEK: Final = (1.12, 1.1, 1.08, 1.06, 1.04, 0.82, 0.78)


def share_out(weekly: int, weekdays: Sequence[float]) -> list[int]:
    """A week's number by weekday: any seven days in a row add up to exactly `weekly` (largest remainders)."""
    exact = weekly * np.asarray(weekdays, float) / sum(weekdays)
    counts = np.floor(exact).astype(int)
    for day in np.argsort(counts - exact, kind="stable")[: weekly - int(counts.sum())]:
        counts[day] += 1
    return [int(count) for count in counts]


def moments(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Times of a day in milliseconds after midnight, in order."""
    hours = rng.choice(24, count, p=HOURS / HOURS.sum())
    return np.sort(hours * HOUR_MS + rng.integers(0, HOUR_MS, count))


def picks(weights: Sequence[float] | NDArray[np.float64], count: int, rng: np.random.Generator) -> Indexes:
    """Indexes drawn by weight."""
    shares = np.asarray(weights, float)
    return rng.choice(len(shares), count, p=shares / shares.sum())
