"""Many tests at once: which alarms stand when thousands of series are judged in the same hour."""

from __future__ import annotations

import numpy as np

from streams.detectors.protocol import Floats


def benjamini_hochberg(p: Floats, tests: int) -> Floats:
    """q-value of each p among `tests` tests; those not given count as p = 1 (Benjamini and Hochberg 1995).

    Taking all with q <= Q, the expected share of false ones among them is at most Q, also for tests that depend positively on
    each other, as those of areas within areas do (Benjamini and Yekutieli 2001).
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * tests / np.arange(1, len(p) + 1)
    q = np.empty_like(scaled)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q
