"""`/export`: what the other routes answer, as CSV and GeoJSON. The same bodies, so the same filters, scope and mask."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

from view.answers import dumps
from view.city import CityMap

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that starts so is a formula to a spreadsheet."""
ALERT_COLUMNS: Final = (
    "id", "at", "level", "area_level", "area", "category", "incident_class", "detector", "observed", "expected", "upper", "p", "q",
    "state", "version", "masked",
)  # fmt: skip


def grids_csv(city: CityMap, body: dict[str, Any]) -> bytes:
    """One line an area and category. Hidden: n empty and masked 1; not known: n empty and masked 0."""
    hidden = {tuple(cell) for cell in body["masked"]}
    levels = body["level"]
    rows = (
        (
            code,
            city.names[code],
            category,
            body["n"][at][column],
            levels[at][column] if levels else None,
            int((at, column) in hidden),
        )
        for at, code in enumerate(body["areas"])
        for column, category in enumerate(body["categories"])
    )
    return _csv(("area", "name", "category", "n", "level", "masked"), rows)


def alerts_csv(body: dict[str, Any]) -> bytes:
    """One line an alert."""
    return _csv(ALERT_COLUMNS, ([row[column] for column in ALERT_COLUMNS] for row in body["items"]))


def series_csv(body: dict[str, Any]) -> bytes:
    """One line a step."""
    hidden = set(body["masked"])
    columns = zip(body["t"], body["obs"], body["expected"], body["upper"], body["flag"], strict=True)
    return _csv(
        ("t", "obs", "expected", "upper", "flag", "masked"), ((*row, int(at in hidden)) for at, row in enumerate(columns))
    )


def grids_geojson(city: CityMap, body: dict[str, Any]) -> bytes:
    """A point inside each grid, with its counts by category; areas of other levels have no geometry."""
    hidden = {tuple(cell) for cell in body["masked"]}
    features = [
        _feature(city.label_points.get(code), {
            "code": code, "name": city.names[code], "n": dict(zip(body["categories"], body["n"][at], strict=True)),
            "masked": [category for column, category in enumerate(body["categories"]) if (at, column) in hidden],
            "level": dict(zip(body["categories"], body["level"][at], strict=True)) if body["level"] else None,
        })
        for at, code in enumerate(body["areas"])
    ]  # fmt: skip
    facts = {name: body[name] for name in ("seq", "as_of", "watermark", "window", "grids")}
    return dumps({"type": "FeatureCollection", **facts, "features": features})


def alerts_geojson(city: CityMap, body: dict[str, Any]) -> bytes:
    """An alert of a grid stands at a point inside it, others have no geometry."""
    features = [
        _feature(city.label_points.get(row["area"]), {name: row[name] for name in ALERT_COLUMNS}) for row in body["items"]
    ]
    facts = {name: body[name] for name in ("seq", "as_of", "watermark", "total")}
    return dumps({"type": "FeatureCollection", **facts, "features": features})


def _feature(point: Sequence[float] | None, properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": point} if point else None
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """RFC 4180 in UTF-8 with a mark, so that spreadsheets read Chinese."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return "\ufeff".encode() + out.getvalue().encode()


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    if isinstance(value, bool):
        return int(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
