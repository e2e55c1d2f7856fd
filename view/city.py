"""What the API knows of its city without asking: areas by level in code order, categories, and hashes. Pure."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, Final

import orjson
import shapely

from schemas.places import PREFIX, Level, Places
from schemas.taxonomy import taxonomy
from view.tiles import tiles

DECIMALS: Final = 4
"""Of published coordinates: about 10 m, enough for a map of the city."""
CATEGORIES: Final = tuple(taxonomy().categories)
"""Columns of every table of counts."""
COLUMN: Final = {category.letter: number for number, category in enumerate(taxonomy().categories.values())}
"""Column of a class by its leading letter."""


class CityMap:
    """Areas of one city. A code is the prefix of a grid's code; the empty code is the whole city."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.names = {code: name for _, code, name in places.areas()}
        self.levels: dict[Level, list[str]] = {level: [] for level in PREFIX}
        for level, code, _ in places.areas():
            self.levels[level].append(code)
        for codes in self.levels.values():
            codes.sort()

    def parents(self) -> list[tuple[str, list[str]]]:
        """Every area above the grids with the areas right below it; the city first."""
        found: list[tuple[str, list[str]]] = [("", self.levels["banner"])]
        for upper, lower in (("banner", "town"), ("town", "community"), ("community", "grid")):
            digits = PREFIX[upper]  # type: ignore[index]
            below: dict[str, list[str]] = {}
            for code in self.levels[lower]:  # type: ignore[index]
                below.setdefault(code[:digits], []).append(code)
            found += list(below.items())
        return found

    @cached_property
    def codes(self) -> list[str]:
        """Every area: the city, then banners, towns, communities, grids."""
        return ["", *(code for level in ("banner", "town", "community", "grid") for code in self.levels[level])]

    @cached_property
    def geojson(self) -> bytes:
        """All grids as GeoJSON (RFC 7946), ids 1.. in code order; the same for everybody: it holds no count."""
        features = [self._feature(number, grid) for number, grid in enumerate(self.places.grids, 1)]
        return orjson.dumps({"type": "FeatureCollection", "features": features})

    @cached_property
    def hash(self) -> str:
        """Names the areas; answers carry it so that a client knows when to load them again."""
        return hashlib.sha256(self.geojson).hexdigest()[:16]

    @cached_property
    def label_points(self) -> dict[str, list[float]]:
        """A point inside each grid that has a geometry, lon and lat."""
        return {
            grid.code: [
                round(value, DECIMALS) for value in shapely.geometry.shape(grid.geometry).representative_point().coords[0]
            ]
            for grid in self.places.grids
            if grid.geometry
        }

    @cached_property
    def tile_places(self) -> dict[str, tuple[int, int]]:
        """Column and row of each grid that has a geometry, on the map of equal tiles."""
        return dict(zip(self.label_points, tiles(list(self.label_points.values())), strict=True))

    def _feature(self, number: int, grid: Any) -> dict[str, Any]:
        names = {"code": grid.code, "name": grid.name, "community": grid.community, "town": grid.town, "banner": grid.banner}
        return {
            "type": "Feature",
            "id": number,
            "geometry": _rounded(grid.geometry) if grid.geometry else None,
            "properties": {**names, "label": self.label_points.get(grid.code), "tile": self.tile_places.get(grid.code)},
        }


def _rounded(geometry: Any) -> Any:
    """A geometry with few decimals, valid and wound as RFC 7946 wants it."""
    snapped = shapely.set_precision(shapely.geometry.shape(geometry), 10**-DECIMALS)
    turned = shapely.orient_polygons(snapped) if hasattr(shapely, "orient_polygons") else snapped
    return _short(shapely.geometry.mapping(turned))


def _short(value: Any) -> Any:
    """Coordinates without the noise of binary fractions."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_short(inner) for inner in value]
    return value
