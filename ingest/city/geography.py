"""The city's places: one banner, 7 towns, about 40 communities, 245 grids with polygons. Only the county code is real.

The 15-digit codes start with 150627; towns, communities, outline and grids are invented. Polygons are Voronoi cells,
small where people live and wide in the pasture, inside lon 109.0-110.4, lat 38.9-39.8 (WGS-84). They neither overlap
nor leave gaps: neighbours share their vertices, and every vertex is rounded alike.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from ingest.city.names import BANNER, BANNER_NAME, COMMUNITIES, TOWNS
from schemas.places import Grid, Places

Points = NDArray[np.float64]
Indexes = NDArray[np.intp]

GRIDS: Final = 245
GRIDS_PER_COMMUNITY: Final = 6
DECIMALS: Final = 6
"""A tenth of a metre; positions and vertices are rounded to it."""
OUTLINE: Final = shapely.Polygon([
    (109.12, 39.08), (109.35, 38.96), (109.71, 38.93), (110.02, 39.01), (110.28, 38.98), (110.37, 39.24),
    (110.31, 39.47), (110.34, 39.66), (110.06, 39.77), (109.74, 39.72), (109.47, 39.76), (109.21, 39.61), (109.05, 39.37),
])  # fmt: skip
SEATS: Final = np.array(
    [(109.78, 39.55), (109.42, 39.53), (110.13, 39.58), (109.76, 39.27), (109.33, 39.19), (110.12, 39.30), (109.95, 39.09)]
)
"""Where each town has its centre, in the order of TOWNS (lon, lat)."""
CORE_GRIDS: Final = 95
SEAT_GRIDS: Final = 9
POINTS_PER_GRID: Final = 96


class City(NamedTuple):
    """Places, and per grid (in the order of `places.grids`) points inside it and its share of what happens."""

    seed: int
    places: Places
    inside: Points  # grid, point, (lon, lat)
    shares: Points  # adds up to 1

    def grids_of(self, prefix: str) -> list[int]:
        """Indexes of the grids of an area, by the prefix of their code."""
        return [index for index, grid in enumerate(self.places.grids) if grid.code.startswith(prefix)]


@cache
def build_city(seed: int = 1) -> City:
    """The city of a seed. Pure; well under a second."""
    rng = np.random.default_rng(seed)
    seeds = _seeds(rng)
    towns = ((seeds[:, None, :] - SEATS[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    cells = _cells(seeds)
    grids, owners = [], []
    names = iter(COMMUNITIES)
    for town, town_name in enumerate(TOWNS):
        members = np.flatnonzero(towns == town)
        for number, community in enumerate(_parts(seeds, members, max(1, round(len(members) / GRIDS_PER_COMMUNITY))), 1):
            name = next(names)
            for sequence, index in enumerate(community.tolist(), 1):
                code = f"{BANNER}{town + 1:03d}{number:03d}{sequence:03d}"
                geometry = shapely.geometry.mapping(cells[index])
                grids.append(Grid(code, f"{name}第{sequence}网格", name, town_name, BANNER_NAME, geometry))
                owners.append(index)
    # Grids are made so that none has far more people than another; the rest of the difference is chance.
    shares = rng.gamma(4.0, 1.0, len(grids))
    inside = np.stack([_points(cells[index], rng) for index in owners])
    return City(seed, Places.of(grids), inside, shares / shares.sum())


def _seeds(rng: np.random.Generator) -> Points:
    """One point a grid: most in the core, some at each town's seat, the others anywhere."""
    clusters = [SEATS[0] + rng.normal(0, (0.045, 0.03), (CORE_GRIDS, 2))]
    clusters += [seat + rng.normal(0, (0.016, 0.012), (SEAT_GRIDS, 2)) for seat in SEATS[1:]]
    wide: list[Points] = []
    missing = GRIDS - sum(map(len, clusters))
    while missing:
        tried = rng.uniform(OUTLINE.bounds[:2], OUTLINE.bounds[2:], (4 * GRIDS, 2))
        wide.append(tried[shapely.contains_xy(OUTLINE.buffer(-0.005), tried)][:missing])
        missing -= len(wide[-1])
    return np.concatenate([*clusters, *wide]).round(DECIMALS)


def _cells(seeds: Points) -> list[shapely.Polygon]:
    """The Voronoi cell of each seed, clipped to the outline, exterior ring counter-clockwise (RFC 7946)."""
    diagram = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=OUTLINE)
    _, owner = shapely.STRtree(list(diagram.geoms)).query(shapely.points(seeds), predicate="within")
    clipped = [shapely.intersection(diagram.geoms[int(index)], OUTLINE) for index in owner]
    rounded = [shapely.transform(cell, lambda vertices: vertices.round(DECIMALS)) for cell in clipped]
    # Two vertices nearer than the rounding become one in every cell that has them.
    return [shapely.geometry.polygon.orient(shapely.remove_repeated_points(cell)) for cell in rounded]


def _parts(seeds: Points, members: Indexes, parts: int) -> list[Indexes]:
    """Split grids into compact groups of about one size: halve again and again, across the longer side."""
    if parts == 1:
        return [members]
    here = seeds[members]
    axis = int(np.argmax(here.max(axis=0) - here.min(axis=0)))
    ordered = members[np.argsort(here[:, axis], kind="stable")]
    first = parts // 2
    cut = round(len(members) * first / parts)
    return _parts(seeds, ordered[:cut], first) + _parts(seeds, ordered[cut:], parts - first)


def _points(cell: shapely.Polygon, rng: np.random.Generator) -> Points:
    """Rounded points strictly inside a cell."""
    shapely.prepare(cell)
    found: Points = np.empty((0, 2))
    while len(found) < POINTS_PER_GRID:
        tried = rng.uniform(cell.bounds[:2], cell.bounds[2:], (4 * POINTS_PER_GRID, 2)).round(DECIMALS)
        found = np.concatenate([found, tried[shapely.contains_xy(cell, tried)]])
    return found[:POINTS_PER_GRID]
