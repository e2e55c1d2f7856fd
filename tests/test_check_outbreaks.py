"""check-outbreaks itself: it has to go red."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from streams.detectors.ears import c2_upper
from tests.check_outbreaks import compare

SERIES = np.array([3, 5, 4, 6, 2, 4, 5, 4, 3, 6, 5, 4, 12, 7], float)
UPPER = c2_upper(SERIES)[9:]


def reference(shift: float = 0.0, *, flip: bool = False) -> pl.DataFrame:
    alarm = np.array([0, 0, 0, 1, 0], float)
    return pl.DataFrame({"t": np.arange(10, 15), "upperbound": UPPER + shift, "alarm": 1 - alarm if flip else alarm})


@pytest.mark.parametrize(("shift", "flip", "bounds", "alarms"), [(0.0, False, 0, 0), (1e-3, False, 5, 0), (0.0, True, 0, 5)])
def test_each_bound_and_alarm_that_differs_is_counted(shift: float, flip: bool, bounds: int, alarms: int) -> None:
    outcome = compare("x", "x", "earsC2", SERIES, reference(shift, flip=flip))

    assert (outcome.weeks, outcome.alarmed, outcome.bounds, outcome.alarms) == (5, 1, bounds, alarms)
