"""What every detector is: a name, a baseline, and a judgement of many series at once."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """One row a series. NaN in `expected` and `upper`, and p 1: too little is known to judge."""

    expected: Floats
    upper: Floats
    p: Floats
    alarm: NDArray[np.bool_]


class Detector(Protocol):
    """Judges the newest value of many series at once, each by values of its past."""

    @property
    def name(self) -> str:
        """Name in the registry and in alerts."""

    @property
    def lags(self) -> tuple[int, ...]:
        """Which past periods the baseline is, oldest first, in periods before the judged one."""

    @property
    def min_count(self) -> float:
        """No smaller value alarms: such series need not be shown to it at all."""

    def parameters(self) -> dict[str, JsonValue]:
        """All that decides, for the evidence."""

    def judge(self, observed: Floats, baseline: Floats) -> Judged:
        """`observed` has shape (series,), `baseline` (series, lags) with NaN for what is missing."""
