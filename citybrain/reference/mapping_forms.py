"""The page of the mappings: what a mapping file may say, and what the shipped ones say."""

from __future__ import annotations

import inspect
from typing import Final

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from citybrain.reference.markdown import code, fenced, table
from ingest.mapping import (
    Cell,
    Classes,
    Mapping,
    NoClass,
    PatternClass,
    PlacesByGeoJson,
    PlacesByLattice,
    PlacesByName,
    Position,
    ReadingOf,
    Time,
    load_mapping,
    shipped_mappings,
)
from schemas.topics import RAW

PARTS: Final[dict[str, type[BaseModel]]] = {
    "the whole file": Mapping,
    "`at`": Time,
    "an entry of `fields`": Cell,
    "`position`": Position,
    "`classes`": Classes,
    "an entry of `classes.patterns`": PatternClass,
    "an entry of `classes.none`": NoClass,
    "an entry of `readings`": ReadingOf,
    "`places` with `by: place`": PlacesByName,
    "`places` with `by: geojson`": PlacesByGeoJson,
    "`places` with `by: lattice`": PlacesByLattice,
}
"""Sections of a mapping file and the models that read them."""


def parts() -> str:
    """Every section with its meaning and keys."""
    return "".join(_part(title, model) for title, model in PARTS.items())


def shipped() -> str:
    """The shipped mappings: one table, then what each one maps."""
    mappings = {name: load_mapping(name) for name in sorted(shipped_mappings())}
    overview = table(
        ("mapping", "topic", "about"),
        [(code(name), code(RAW[mapping.kind].name), mapping.about) for name, mapping in mappings.items()],
    )
    return overview + "".join(_mapping(name, mapping) for name, mapping in mappings.items())


def _part(title: str, model: type[BaseModel]) -> str:
    rows = [
        (
            code(name),
            "yes" if field.is_required() else "",
            code("" if field.default is PydanticUndefined else _yaml(field.default)),
        )
        for name, field in model.model_fields.items()
    ]
    title = title[:1].upper() + title[1:]
    return (
        f"### {title}\n\n" + fenced(inspect.cleandoc(model.__doc__ or ""), "text") + table(("key", "required", "default"), rows)
    )


def _mapping(name: str, mapping: Mapping) -> str:
    facts = {
        "source": code(mapping.source),
        "id": "file name and row" if mapping.id == "row" else f"column {code(mapping.id)}",
        "time": f"{_columns(mapping.at.columns)}, {code(mapping.at.format)}, {mapping.at.zone or 'offset in the text'}",
        "days are counted in": mapping.time_zone,
        "position": _position(mapping.position),
        "fields": ", ".join(f"{code(field)} from {_columns(cell.columns)}" for field, cell in mapping.fields.items()),
        "constants": ", ".join(f"{code(field)} = {code(value)}" for field, value in mapping.constants.items()),
        "code table": _classes(mapping.classes),
        "readings": ", ".join(
            f"{code(r.metric)} from {code(r.column)}" + (f" in {r.unit}" if r.unit else "") for r in mapping.readings
        ),
        "places": "" if mapping.places is None else f"by {mapping.places.by}, banner {mapping.places.banner}",
        "counts may differ from the file's": "; ".join(f"{code(why)}: {how}" for why, how in mapping.differences.items()),
    }
    return f"### {code(name)}\n\n" + table(("", ""), [(what, text) for what, text in facts.items() if text])


def _position(position: Position | None) -> str:
    return "" if position is None else f"{_columns((position.lon, position.lat))}, {position.system}"


def _classes(classes: Classes) -> str:
    wanted = sorted({*classes.exact.values(), *(pattern.to for pattern in classes.patterns)})
    if not wanted:
        return ""
    return f"{len(classes.exact)} codes and {len(classes.patterns)} patterns to {', '.join(map(code, wanted))}"


def _columns(names: tuple[str, ...]) -> str:
    return " and ".join(map(code, names))


def _yaml(default: object) -> str:
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, BaseModel | dict):
        return "{}"
    return "[]" if default == () else repr(default) if default == " " else str(default)
