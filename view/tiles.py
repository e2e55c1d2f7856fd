"""A place in a square raster for each area, near where it lies: every area as large as any other. Pure.

Dense towns and wide pastures share one map; on a phone most of a town's grids are too small to touch. The places are the
linear assignment with the least sum of squared distances, after each axis is stretched by ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

ASPECT = 15 / 17
"""Columns to rows: about a phone's map."""


def tiles(points: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Column and row, from the top left, of each point (lon, lat); no two the same."""
    if not points:
        return []
    columns = math.ceil(math.sqrt(len(points) * ASPECT))
    rows = math.ceil(len(points) / columns)
    spread = np.array(points, dtype=float)
    ranks = spread.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable") / max(1, len(points) - 1)
    # Halfway between the true place and its rank: neighbours stay together, and the dense core gets room.
    width = np.ptp(spread, axis=0)
    true = (spread - spread.min(axis=0)) / np.where(width > 0, width, 1.0)
    wanted = (ranks + true) / 2 * [columns - 1, rows - 1]
    wanted[:, 1] = rows - 1 - wanted[:, 1]
    raster = np.array([(column, row) for row in range(rows) for column in range(columns)], dtype=float)
    cost = ((wanted[:, None, :] - raster[None, :, :]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    return [(int(raster[at, 0]), int(raster[at, 1])) for at in chosen]
