"""JSON Schema (draft 2020-12) of what others send: `python -m citybrain.json_schemas [--check] FOLDER`.

The pydantic models are the contract; these files are written from them for people and programs that do not read Python.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from schemas.events import EVENT_MODELS, EVENT_TYPES, RFC3339
from schemas.places import PREFIX
from schemas.taxonomy import taxonomy

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
NOT_TOLD: Final = (
    "Not told here: strings hold no NUL, nesting and length are bounded (docs/events.md), unknown fields and person fields "
    "are dropped, and the topic of a kind takes only its own type."
)


def all_schemas() -> dict[str, dict[str, Any]]:
    """File name to schema: one for each kind of event, one for places."""
    events = {f"{kind}.json": _event(EVENT_TYPES[kind], model.model_json_schema()) for kind, model in EVENT_MODELS.items()}
    return events | {"places.json": _places()}


def as_text(schema: dict[str, Any]) -> str:
    """What stands in the file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """Names of files in `folder` that are missing, differ, or belong to no schema."""
    wanted = all_schemas()
    there = {path.name for path in folder.glob("*.json")}
    differing = [
        name for name, schema in wanted.items() if name in there and (folder / name).read_text("utf-8") != as_text(schema)
    ]
    return sorted({*differing, *(set(wanted) ^ there)})


def write(folder: Path) -> None:
    """Make the folder hold exactly the schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = all_schemas()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, schema in wanted.items():
        (folder / name).write_text(as_text(schema), encoding="utf-8")


def _event(event_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The model's schema, with the checks that are functions in Python written as JSON Schema."""
    schema["properties"]["time"]["pattern"] = f"^{RFC3339.pattern}$"
    for part in schema["$defs"].values():
        for choice in part["properties"].get("incident_class", {}).get("anyOf", []):
            if choice.get("type") == "string":
                choice["enum"] = list(taxonomy().classes)
    schema["$defs"]["Position"]["not"] = {"properties": {"lon": {"const": 0}, "lat": {"const": 0}}}
    return {"$schema": DRAFT, "$id": f"urn:{event_type.replace('.', ':')}", "$comment": NOT_TOLD, **schema}


def _places() -> dict[str, Any]:
    """GeoJSON that `schemas.places.Places.from_geojson` reads. Further properties are allowed and not read."""
    text = {"type": "string"}
    names = {
        level: {**text, "description": f"name of the {level}, prefix of {PREFIX[level]} digits"}
        for level in ("community", "town", "banner")
    }
    return {
        "$schema": DRAFT,
        "$id": "urn:citybrain:places:v1",
        "title": "Places",
        "description": "All grids of one city as a GeoJSON FeatureCollection (RFC 7946, WGS-84, longitude first).",
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["properties"],
                    "properties": {
                        "type": {"const": "Feature"},
                        "geometry": {
                            "description": "null when only the name of the grid is known",
                            "anyOf": [
                                {
                                    "type": "object",
                                    "required": ["type", "coordinates"],
                                    "properties": {"type": {"enum": ["Polygon", "MultiPolygon"]}, "coordinates": {"type": "array"}},
                                },
                                {"type": "null"},
                            ],
                        },
                        "properties": {
                            "type": "object",
                            "required": ["code", "name"],
                            "properties": {
                                "code": {
                                    "type": "string",
                                    "pattern": f"^[0-9]{{{PREFIX['grid']}}}$",
                                    "description": "6 digits county, 3 town, 3 community, 3 sequence; each grid once",
                                },
                                "name": text,
                                **names,
                            },
                        },
                    },
                },
            },
        },
    }  # fmt: skip


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is not up to date.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(*, check: bool, folder: Path) -> None:
    """Write the JSON Schemas of events and places into FOLDER."""
    if not check:
        write(folder)
        return
    if names := stale(folder):
        files = ", ".join(str(folder / name) for name in names)
        click.echo(f"{files}: not what the models say; run `make docs`", err=True)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
