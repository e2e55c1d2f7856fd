"""Places of a city: banner > town > community > grid, by 15-digit unit grid codes.

A code is 6 digits county (GB/T 2260) + 3 town + 3 community + 3 sequence; every upper level is a prefix. Places travel
as GeoJSON (RFC 7946): one feature per grid, geometry Polygon, MultiPolygon, or null when only its name is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

Level = Literal["banner", "town", "community", "grid"]
PREFIX: Final[dict[Level, int]] = {"banner": 6, "town": 9, "community": 12, "grid": 15}
"""Digits of a grid code that name the area of each level."""


class Grid(NamedTuple):
    """One grid with the names above it. `geometry` is a GeoJSON geometry (lon, lat; WGS-84) or None."""

    code: str
    name: str
    community: str
    town: str
    banner: str
    geometry: Mapping[str, Any] | None


class Places(NamedTuple):
    """All grids of one city, in code order."""

    grids: tuple[Grid, ...]

    @classmethod
    def of(cls, grids: Iterable[Grid]) -> Places:
        """Check codes (15 digits, each once) and put them in order. ValueError names the code that is wrong."""
        ordered = sorted(grids, key=lambda grid: grid.code)
        for before, grid in zip([None, *ordered], ordered, strict=False):
            if not re.fullmatch(r"[0-9]{15}", grid.code):
                message = (
                    f"grid code {grid.code!r} of {grid.name!r}: wanted 15 digits (6 county, 3 town, 3 community, 3 sequence)"
                )
                raise ValueError(message)
            if before and before.code == grid.code:
                message = f"grid code {grid.code} stands twice: {before.name!r} and {grid.name!r}"
                raise ValueError(message)
        return cls(tuple(ordered))

    @classmethod
    def from_geojson(cls, document: Mapping[str, Any]) -> Places:
        """Read a FeatureCollection whose features have properties code, name, community, town, banner."""
        if document.get("type") != "FeatureCollection":
            message = f"places: wanted a GeoJSON FeatureCollection, got type {document.get('type')!r}"
            raise ValueError(message)
        return cls.of(
            Grid(
                code=str(feature["properties"]["code"]),
                name=feature["properties"]["name"],
                community=feature["properties"].get("community", ""),
                town=feature["properties"].get("town", ""),
                banner=feature["properties"].get("banner", ""),
                geometry=feature.get("geometry"),
            )
            for feature in document["features"]
        )

    def to_geojson(self) -> dict[str, Any]:
        """The FeatureCollection `from_geojson` reads."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": grid.geometry,
                    "properties": {name: value for name, value in grid._asdict().items() if name != "geometry"},
                }
                for grid in self.grids
            ],
        }

    def areas(self) -> list[tuple[Level, str, str]]:
        """Every area once as (level, code, name), banner first."""
        found: dict[tuple[Level, str], str] = {}
        for level, digits in PREFIX.items():
            for grid in self.grids:
                found.setdefault((level, grid.code[:digits]), grid.name if level == "grid" else str(getattr(grid, level)))
        return [(level, code, name) for (level, code), name in found.items()]
