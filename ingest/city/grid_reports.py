"""What grid workers and residents report: hidden dangers, disputes, market, environment, plain requests.

1,240 grid workers are taken to report about 17 things a week each: 21,000 a week, exact in any seven days in a row.
Reports carry no code and no class, only text, so that the classifier has to read it. All weights are own guesses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np

from ingest.city.cases import Cases, draw_cases
from ingest.city.geography import City
from ingest.city.rhythm import GRID_WEEK, moments, picks, share_out

GRID_WORKERS: Final = 1_240
WEEKLY: Final = 21_000
WEIGHTS: Final[dict[str, float]] = {
    "S05": 22, "S07": 8, "S06": 5, "S08": 3, "S10": 2, "S12": 0.6, "S04": 0.3, "S09": 1, "O14": 9, "O12": 7, "D01": 6, "D02": 3,
    "D04": 0.8, "D05": 6, "D06": 4, "D07": 1, "D09": 4, "D12": 4, "P07": 0.3, "": 13,
}  # fmt: skip


def reports_of(city: City, day: datetime) -> Cases:
    """The reports of a day."""
    rng = np.random.default_rng((city.seed, day.toordinal(), 2))
    count = share_out(WEEKLY, GRID_WEEK)[day.weekday()]
    codes = list(WEIGHTS)
    classes = [codes[i] for i in picks(list(WEIGHTS.values()), count, rng).tolist()]
    untold = np.zeros(count, bool)
    grids = picks(city.shares, count, rng)
    return draw_cases("grid", f"grid-{day:%Y%m%d}", [""] * count, classes, untold, grids, moments(count, rng), rng)
