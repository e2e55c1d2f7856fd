"""What a published table is to the code that hides small cells: whole numbers, and sums over them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Sum(NamedTuple):
    """Cell `total` is the sum of the cells `parts`."""

    total: int
    parts: tuple[int, ...]
