"""Where an event happened: coordinates, else grid code, else a place name, to one 15-digit code.

Outside the city is flagged, not dropped. A point that lies in the city only when its two numbers are exchanged
is a fault of the sender and is rejected: placed as it is, it would lie on another continent.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
import shapely
import shapely.geometry
from numpy.typing import NDArray

from schemas.places import PREFIX, Places

Points = NDArray[np.float64]
NOWHERE: Final = -1


class Located(NamedTuple):
    """Per row: the grid code ("" for none), how it was found, and whether the coordinates look swapped."""

    grid: pl.Series
    located_by: pl.Series
    swapped: NDArray[np.bool_]


class Locator:
    """Answers for one city. Build once: it holds a spatial index and prepared polygons."""

    def __init__(self, places: Places) -> None:
        shaped = [grid for grid in places.grids if grid.geometry]
        self._codes = pl.Series([grid.code for grid in shaped], dtype=pl.String)
        self._shapes = np.array([shapely.geometry.shape(grid.geometry) for grid in shaped], dtype=object)
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)
        known = [grid.code for grid in places.grids]
        self._known = pl.Series("grid", known, dtype=pl.String)
        names = _names(places)
        self._names = pl.DataFrame(
            {"place": list(names), "code": list(names.values())}, schema={"place": pl.String, "code": pl.String}
        )

    def locate(self, lon: Points, lat: Points, grid: pl.Series, place: pl.Series) -> Located:
        """Locate a batch. `lon` and `lat` in degrees WGS-84, NaN where absent; `grid` and `place` null where absent."""
        index = self._containing(lon, lat)
        has_point = ~np.isnan(lon)
        lost = has_point & (index == NOWHERE)
        swapped = np.zeros(len(lon), bool)
        if lost.any():
            swapped[lost] = self._containing(lat[lost], lon[lost]) != NOWHERE
        by_point = self._codes.gather(
            pl.Series(np.where(index == NOWHERE, np.nan, index)).cast(pl.Float64).fill_nan(None).cast(pl.UInt32)
        )
        by_place = pl.DataFrame({"place": place}).join(self._names, on="place", how="left", maintain_order="left")["code"]
        frame = pl.DataFrame(
            {
                "point": by_point,
                "given": grid.set(~grid.is_in(self._known.implode()).fill_null(value=False), None) if len(grid) else grid,
                "place": by_place,
                "asked": pl.Series(has_point) | grid.is_not_null() | place.is_not_null(),
            }
        )
        found = frame.select(
            grid=pl.coalesce("point", "given", "place", pl.lit("")),
            how=pl.when(pl.col("point").is_not_null()).then(pl.lit("coordinates"))
            .when(pl.col("given").is_not_null()).then(pl.lit("grid"))
            .when(pl.col("place").is_not_null()).then(pl.lit("place"))
            .when(pl.col("asked")).then(pl.lit("outside"))
            .otherwise(pl.lit("none")),
        )  # fmt: skip
        return Located(found["grid"], found["how"], swapped)

    def _containing(self, lon: Points, lat: Points) -> NDArray[np.intp]:
        """Index of the first polygon (in code order) that covers each point, NOWHERE for none.

        Points on a shared edge belong to both polygons; the lowest code takes them, so every run agrees.
        """
        found = np.full(len(lon), NOWHERE, np.intp)
        asked = np.flatnonzero(~np.isnan(lon))
        if not len(asked) or not len(self._shapes):
            return found
        rows, shapes = self._tree.query(shapely.points(lon[asked], lat[asked]))
        rows = asked[rows]
        covers = shapely.intersects_xy(self._shapes[shapes], lon[rows], lat[rows])
        rows, shapes = rows[covers], shapes[covers]
        order = np.lexsort((-shapes, rows))
        found[rows[order]] = shapes[order]  # the last write wins: descending order leaves the lowest
        return found


def _names(places: Places) -> dict[str, str]:
    """Name to 15-digit code; an area above the grid stands as its prefix filled with zeros.

    A name that two areas of one level share says nothing and is left out; where levels share it, the finer wins.
    """
    names: dict[str, str] = {}
    for level in PREFIX:
        here = [(name, code) for area_level, code, name in places.areas() if area_level == level and name]
        counts: dict[str, int] = {}
        for name, _ in here:
            counts[name] = counts.get(name, 0) + 1
        names |= {name: code.ljust(15, "0") for name, code in here if counts[name] == 1}
    return names
