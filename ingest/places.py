"""Grids for a mapping: from the names in its files, from polygons beside them, from a lattice, or none.

Codes are made up from the mapping's county code: areas in the order of their names, counted within the area above. They
hold for the files they were made from; other files, other codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from ingest.events_of import cell_reader
from ingest.files import open_bytes, read_rows
from ingest.mapping import Mapping, PlacesByGeoJson, PlacesByLattice, PlacesByName
from schemas.errors import BadMapping
from schemas.places import Grid, Places

MOST: int = 999
"""Areas that three digits can count."""


class Area(NamedTuple):
    """One grid to be: its name, the names above it ("" for none), its GeoJSON geometry."""

    name: str
    town: str = ""
    community: str = ""
    geometry: dict[str, Any] | None = None


def places_for(mapping: Mapping, paths: Sequence[Path]) -> Places | None:
    """The grids of these files; None when the mapping names no places. BadMapping when its GeoJSON is not there."""
    match mapping.places:
        case None:
            return None
        case PlacesByName() as named:
            return number(_by_name(mapping, named, paths), named.county, named.banner)
        case PlacesByGeoJson() as shaped:
            return number(_by_geojson(shaped, paths[0].parent / shaped.file), shaped.county, shaped.banner)
        case PlacesByLattice() as lattice:
            return number(_by_lattice(lattice), lattice.county, lattice.banner)


def number(areas: Iterable[Area], county: str, banner: str) -> Places:
    """Give every area a 15-digit code: towns, communities and grids by name, each counted from 001.

    A community with more than 999 grids goes on under the next community number. BadMapping when towns run out.
    """
    grids: list[Grid] = []
    towns = community_number = sequence = 0
    town: str | None = None
    community: str | None = None
    for area in sorted(areas, key=lambda area: (area.town, area.community, area.name)):
        if area.town != town:
            town, community, towns, community_number = area.town, None, towns + 1, 0
        if area.community != community or sequence == MOST:
            community, community_number, sequence = area.community, community_number + 1, 0
        sequence += 1
        if towns > MOST or community_number > MOST:
            raise BadMapping(f"places of {banner}: more areas than 15-digit codes can count; {area.name!r} is one too many")
        code = f"{county}{towns:03}{community_number:03}{sequence:03}"
        grids.append(Grid(code, area.name, area.community, area.town, banner, area.geometry))
    return Places.of(grids)


def _by_name(mapping: Mapping, named: PlacesByName, paths: Sequence[Path]) -> list[Area]:
    cell = mapping.fields.get("place")
    if cell is None:
        raise BadMapping("places.by: got 'place', but fields.place is not mapped; name the column that holds the place")
    read = cell_reader(cell)
    rows = (row for path in paths for row in read_rows(path, delimiter=mapping.delimiter, encoding=mapping.encoding))
    names = {name for row in rows if (name := read(row.cells))}
    return [Area(name, _find(named.town, name), _find(named.community, name)) for name in names]


def _find(pattern: str | None, name: str) -> str:
    found = re.search(pattern, name) if pattern else None
    return found.group(0) if found else ""


def _by_geojson(shaped: PlacesByGeoJson, path: Path) -> list[Area]:
    try:
        with open_bytes(path) as content:
            features = orjson.loads(content.read())["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadMapping(f"places {path}: {error!r}; wanted a GeoJSON FeatureCollection beside the data") from error
    found: dict[str, Area] = {}
    for feature in features:
        properties = feature["properties"]
        if not (name := str(properties.get(shaped.name) or "")):
            raise BadMapping(f"places {path}: a feature without property {shaped.name!r}; got {sorted(properties)}")
        town, community = (str(properties.get(key) or "") if key else "" for key in (shaped.town, shaped.community))
        before = found.get(name)
        geometry = _together(before.geometry, feature["geometry"]) if before else feature["geometry"]
        found[name] = Area(name, before.town if before else town, before.community if before else community, geometry)
    return list(found.values())


def _together(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """Two geometries of one area as one MultiPolygon."""
    parts = [part for geometry in (one, other) if geometry for part in _polygons(geometry)]
    return {"type": "MultiPolygon", "coordinates": parts} if parts else None


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]


def _by_lattice(lattice: PlacesByLattice) -> list[Area]:
    xs = _edges(lattice.west, lattice.east, lattice.columns)
    ys = _edges(lattice.south, lattice.north, lattice.rows)
    return [
        Area(f"r{row:03}c{column:03}", f"r{row:03}", "", _rectangle(xs[column], ys[row], xs[column + 1], ys[row + 1]))
        for row in range(lattice.rows)
        for column in range(lattice.columns)
    ]


def _edges(start: float, end: float, parts: int) -> list[float]:
    return [start + (end - start) * part / parts for part in range(parts)] + [end]


def _rectangle(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
