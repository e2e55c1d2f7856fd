"""Places from the file the settings name."""

from __future__ import annotations

import json
from pathlib import Path

from schemas.errors import BadSettings
from schemas.places import Places


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
