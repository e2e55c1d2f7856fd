"""Counts per period, grid and class, and sums of them over the areas above and the category. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.places import PREFIX, Level

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
LEVELS: Final[tuple[Level, ...]] = ("grid", "community", "town", "banner")


class Rows(NamedTuple):
    """Counts as the store gives them, each (period, grid, class) at most once. Periods are whole numbers."""

    periods: Ints
    grids: Sequence[str]
    classes: Sequence[str]
    counts: Floats


class Subject(NamedTuple):
    """What one series counts: an area, and a class, or all classes of a category (`incident_class` None)."""

    level: Level
    area: str
    category: str
    incident_class: str | None


class Tally:
    """All series of some areas and classes over a range of periods, kept sparse: only what is not zero takes room.

    A series is a number: area * subjects + what, where what is a class or, after them, a category.
    """

    def __init__(self, rows: Rows, areas: Sequence[tuple[Level, str]], categories: Mapping[str, str]) -> None:
        """`areas` that exist, `categories`: category of each class that is watched. Rows of others are left out."""
        self.areas = list(areas)
        self._classes = list(categories)
        self._categories = sorted(set(categories.values()))
        self._category_of = categories
        self._whats = len(self._classes) + len(self._categories)
        self._first = int(rows.periods.min()) if len(rows.periods) else 0
        self._width = int(rows.periods.max()) - self._first + 1 if len(rows.periods) else 1
        self._keys, self._sums = self._sum(rows)

    @property
    def series(self) -> int:
        """How many series there are, zero or not: the size of the family of tests."""
        return len(self.areas) * self._whats

    def subject(self, series: int) -> Subject:
        """What a series counts."""
        (level, area), what = self.areas[series // self._whats], series % self._whats
        if what < len(self._classes):
            name = self._classes[what]
            return Subject(level, area, self._category_of[name], name)
        return Subject(level, area, self._categories[what - len(self._classes)], None)

    def at_least(self, least: float, first: int, end: int) -> tuple[Ints, Ints, Floats]:
        """Series, period and count of every count >= `least` in periods [first, end), in the order of time."""
        series, periods = np.divmod(self._keys, self._width)
        periods = periods + self._first
        chosen = np.flatnonzero((self._sums >= least) & (periods >= first) & (periods < end))
        chosen = chosen[np.lexsort((series[chosen], periods[chosen]))]
        return series[chosen], periods[chosen], self._sums[chosen]

    def counts(self, series: Ints, periods: Ints) -> Floats:
        """Counts of series at periods, of one shape; 0 where nothing was counted."""
        inside = (periods >= self._first) & (periods < self._first + self._width)
        wanted = series * self._width + np.where(inside, periods - self._first, 0)
        if not len(self._keys):
            return np.zeros(wanted.shape)
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(inside & (self._keys[at] == wanted), self._sums[at], 0.0)

    def siblings(self, series: int, most: int) -> list[int]:
        """The same class or category in the other areas under the same parent, by code; none for a banner."""
        level, area = self.areas[series // self._whats]
        above = LEVELS.index(level) + 1
        if above == len(LEVELS):
            return []
        parent = area[: PREFIX[LEVELS[above]]]
        others = sorted((code, n) for n, (kind, code) in enumerate(self.areas) if kind == level and code.startswith(parent))
        return [n * self._whats + series % self._whats for code, n in others if code != area][:most]

    def _sum(self, rows: Rows) -> tuple[Ints, Floats]:
        what = {name: number for number, name in enumerate(self._classes)}
        whole = {name: len(self._classes) + number for number, name in enumerate(self._categories)}
        classes = np.array([what.get(name, -1) for name in rows.classes], np.int64)
        categories = np.array([whole.get(self._category_of.get(name, ""), -1) for name in rows.classes], np.int64)
        number = {area: n for n, area in enumerate(self.areas)}
        keys, sums = [], []
        for level in LEVELS:
            owner = np.array([number.get((level, grid[: PREFIX[level]]), -1) for grid in rows.grids], np.int64)
            for subjects in (classes, categories):
                good = (owner >= 0) & (subjects >= 0)
                series = owner[good] * self._whats + subjects[good]
                keys.append(series * self._width + rows.periods[good] - self._first)
                sums.append(rows.counts[good])
        unique, inverse = np.unique(np.concatenate(keys), return_inverse=True)
        return unique, np.bincount(inverse, np.concatenate(sums), len(unique)).astype(np.float64)
