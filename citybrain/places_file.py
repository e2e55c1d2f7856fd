"""Places from the file the settings name."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.errors import BadSettings
from schemas.places import Places

PLACES = "places.geojson"
"""The places of a local deployment, in its data folder."""


def known_places(path: Path | None, folder: Path) -> Places:
    """Those of `path`; without one those that the last deployment in the data folder had; else none."""
    left = folder / PLACES
    return read_places(path or (left if left.exists() else None))


def read_places(path: Path | None) -> Places:
    """Grids of the city; none without a file. BadSettings names the file and what is wrong in it."""
    if path is None:
        return Places(())
    try:
        return Places.from_geojson(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"places {path}: {error!r}; wanted a GeoJSON FeatureCollection as `citybrain city --places-out` writes"
        raise BadSettings(message) from error


def write_places(path: Path, places: Places) -> None:
    """Write what `read_places` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(places.to_geojson(), ensure_ascii=False), encoding="utf-8")
