"""Which source offsets are stored already: ranges, not a high-water mark: a block that comes late is not lost (docs/decisions/0003)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Covered:
    """Disjoint ranges of offsets of one source partition, both ends included, in order."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._first: list[int] = []
        self._last: list[int] = []
        for first, last in sorted(ranges):
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Cover first..last; ranges that touch become one."""
        low = bisect_left(self._last, first - 1)
        high = bisect_right(self._first, last + 1)
        if low < high:
            first, last = min(first, self._first[low]), max(last, self._last[high - 1])
        self._first[low:high] = [first]
        self._last[low:high] = [last]

    def contains(self, offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the offsets are covered."""
        if not self._first:
            return np.zeros(len(offsets), bool)
        at = np.searchsorted(self._first, offsets, side="right") - 1
        covered: NDArray[np.bool_] = (at >= 0) & (offsets <= np.asarray(self._last)[np.maximum(at, 0)])
        return covered

    def ranges(self) -> list[tuple[int, int]]:
        """The covered ranges, both ends included, in order."""
        return list(zip(self._first, self._last, strict=True))

    def holes(self) -> list[tuple[int, int]]:
        """Uncovered ranges between the first and the last covered offset."""
        return [(last + 1, first - 1) for last, first in zip(self._last, self._first[1:], strict=False)]

    @property
    def last(self) -> int | None:
        """The highest covered offset."""
        return self._last[-1] if self._last else None
