"""The published tables of days: areas of every level by category, small cells and their complements hidden.

All numbers that are served without a duty token come from here, whatever the route, so that no two answers can be taken
from one another: what is computed from published cells tells nothing that they do not.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from view.city import CATEGORIES, CityMap
from view.counts import in_window
from view.parts import Ask
from view.problems import Problem
from view.sums import Mask, Numbers, Sum
from view.suppress import protect
from view.who import Scope
from view.windows import day_span

ALL: Final = len(CATEGORIES)
"""Column of the sum over categories."""
KEPT: Final = 128
"""Masked tables kept in memory; one takes about a second of a core to make."""


PATIENCE_SECONDS: Final = 20.0
"""How long a question waits for tables that others asked for: those who wait must not take every thread."""


class Cell(NamedTuple):
    """One published cell: its number, or None and `hidden`."""

    n: int | None
    hidden: bool


class DayTable(NamedTuple):
    """One local day of the whole city. Rows are areas in the order of `CityMap.codes`, columns categories and their sum."""

    row: dict[str, int]
    values: Numbers
    hidden: Mask

    def cell(self, area: str, column: int) -> Cell:
        """The cell as it is published."""
        at = self.row[area], column
        return Cell(None, hidden=True) if self.hidden[at] else Cell(int(self.values[at]), hidden=False)


class PublishedDays:
    """Masked tables, each made once for its content."""

    def __init__(self, ask: Ask, city: CityMap, zone: ZoneInfo) -> None:
        self._ask, self._city, self._zone = ask, city, zone
        self._sums = table_sums(city)
        self._worth = np.repeat([-len(code) for code in city.codes], ALL + 1)
        self._row = {code: number for number, code in enumerate(city.codes)}
        self._masks: OrderedDict[bytes, Mask] = OrderedDict()
        self._asked: OrderedDict[tuple[date, int], DayTable] = OrderedDict()
        self._making = threading.Lock()

    def of(self, day: date, seq: int) -> DayTable:
        """The table of a day as the store had it at `seq`."""
        if found := self._asked.get((day, seq)):
            return found
        if not self._making.acquire(timeout=PATIENCE_SECONDS):
            told = f"the published table of {day} is being made; try again"
            raise Problem(503, "being-made", told, {"Retry-After": "5"})
        try:
            if found := self._asked.get((day, seq)):
                return found
            values = self._filled(in_window(self._ask, Scope(), day_span(day, self._zone)))
            table = DayTable(self._row, values, self._mask(values))
            self._asked[day, seq] = table
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
            return table
        finally:
            self._making.release()

    def _filled(self, counts: dict[str, list[int]]) -> Numbers:
        values = np.zeros((len(self._row), ALL + 1), dtype=np.int64)
        for grid, numbers in counts.items():
            if grid in self._row:
                values[self._row[grid], :ALL] = numbers
        for parent, children in reversed(self._city.parents()):
            values[self._row[parent]] = values[[self._row[child] for child in children]].sum(axis=0)
        values[:, ALL] = values[:, :ALL].sum(axis=1)
        return values

    def _mask(self, values: Numbers) -> Mask:
        key = hashlib.sha256(values.tobytes()).digest()
        if key not in self._masks:
            self._masks[key] = protect(values.ravel(), self._sums, worth=self._worth).reshape(values.shape)
            while len(self._masks) > KEPT:
                self._masks.popitem(last=False)
        return self._masks[key]


def table_sums(city: CityMap) -> list[Sum]:
    """Every sum a reader of a day's table knows: areas over those below, and all categories, cells by row and column."""
    width = ALL + 1
    row = {code: number * width for number, code in enumerate(city.codes)}
    sums = [Sum(start + ALL, tuple(range(start, start + ALL))) for start in row.values()]
    for parent, children in city.parents():
        sums += [
            Sum(row[parent] + column, tuple(row[child] + column for child in children)) for column in range(width) if children
        ]
    return sums
