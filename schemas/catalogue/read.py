"""Texts of catalogue files to one `Catalogue`, alone or laid over another one.

A folder holds any of `FILES` and any number of `information_*.yaml`. Laid over another catalogue, an entry with a known id
replaces it whole, a new id is added, and `remove` in catalogue.yaml takes out. Errors are collected and told together.
Why data: docs/decisions/0026-catalogue-as-data.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import yaml
from pydantic import BaseModel, ValidationError

from schemas import strict_yaml
from schemas.catalogue import models
from schemas.catalogue.check import broken_references
from schemas.catalogue.models import Catalogue, by_id, id_of
from schemas.errors import BadCatalogue

MANIFEST: Final = "catalogue.yaml"
LISTS: Final[dict[str, type[BaseModel]]] = {
    "categories": models.Category,
    "incident_classes": models.IncidentClassEntry,
    "departments": models.Department,
    "topics": models.Topic,
    "information_classes": models.InformationClass,
    "scenarios": models.Scenario,
    "tiers": models.Tier,
    "privacy_levels": models.PrivacyLevel,
    "indicators": models.Indicator,
    "alert_rules": models.AlertKind,
    "sources": models.Source,
}
FILES: Final[dict[str, tuple[str, ...]]] = {
    "categories.yaml": ("categories",),
    "incident_classes.yaml": ("incident_classes",),
    "departments.yaml": ("departments",),
    "lists.yaml": ("tiers", "privacy_levels", "indicators", "alert_rules"),
    "sources.yaml": ("sources",),
    "scenarios.yaml": ("scenarios",),
}
INFORMATION: Final = "information_"
MEASURE: Final = ("metric", "unit", "range", "attention", "alarm")


class Row(NamedTuple):
    """One entry as it stands in a file."""

    file: str
    list: str
    values: dict[str, Any]


@cache
def shipped() -> Catalogue:
    """The catalogue in the package. Cached: it never changes while a process runs."""
    folder = files(__package__)
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml")}
    return parse(texts)


def parse(texts: Mapping[str, str], base: Catalogue | None = None) -> Catalogue:
    """The catalogue that files (by name) say, laid over `base`. BadCatalogue with every mistake that was found."""
    documents, problems = _documents(texts)
    manifest = documents.pop(MANIFEST, None)
    if not isinstance(manifest, dict):
        problems.append(f"{MANIFEST}: wanted a file with version, zh, en, and extends: citybrain for a city's own")
        raise BadCatalogue("\n".join(problems))
    rows = [row for name, document in documents.items() for row in _rows(name, document, problems)]
    lists = {name: dict(base.entries(name)) if base else {} for name in LISTS}
    _remove(manifest, lists, problems)
    information = [row for row in rows if row.list != "scenarios"]
    _put(information, lists, problems)
    by_topic = _by_topic(lists["information_classes"].values())
    _put([_with_topics(row, by_topic, problems) for row in rows if row.list == "scenarios"], lists, problems)
    if not problems:
        head = {name: manifest.get(name) for name in ("version", "zh", "en")}
        try:
            catalogue = Catalogue(**head, **{name: tuple(entries.values()) for name, entries in lists.items()})
            problems += broken_references(catalogue)
        except ValidationError as error:
            problems += _explain(MANIFEST, "", error)
    if problems:
        raise BadCatalogue("\n".join(problems))
    return catalogue


def extends(texts: Mapping[str, str]) -> bool:
    """Whether a folder lays its entries over the shipped catalogue. BadCatalogue when it does not say."""
    documents, problems = _documents({MANIFEST: texts.get(MANIFEST, "")})
    manifest = documents.get(MANIFEST)
    if problems or not isinstance(manifest, dict) or manifest.get("extends") not in (None, "citybrain"):
        raise BadCatalogue("\n".join([*problems, f"{MANIFEST}: wanted version, zh, en and extends: citybrain (or null)"]))
    return manifest.get("extends") == "citybrain"


def _documents(texts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    documents, problems = {}, []
    for name, text in sorted(texts.items()):
        if name not in FILES and name != MANIFEST and not name.startswith(INFORMATION):
            wanted = ", ".join([MANIFEST, *FILES, f"{INFORMATION}*.yaml"])
            problems.append(f"{name}: no file of a catalogue; wanted one of {wanted}")
            continue
        try:
            documents[name] = strict_yaml.load(text)
        except yaml.YAMLError as error:
            problems.append(f"{name}: {error}")
    return documents, problems


def _rows(name: str, document: Any, problems: list[str]) -> list[Row]:
    """Entries of one file, in its order."""
    if not isinstance(document, dict):
        problems.append(f"{name}: wanted a mapping at the top, got {type(document).__name__}")
        return []
    if name.startswith(INFORMATION):
        return _information_rows(name, document, problems)
    strange = sorted(set(document) - set(FILES[name]))
    if strange:
        problems.append(f"{name}: got {strange}; wanted only {list(FILES[name])}")
    found = [(part, document.get(part) or []) for part in FILES[name]]
    return [row for part, entries in found for row in _entries(name, part, entries, problems)]


def _entries(name: str, part: str, entries: Any, problems: list[str]) -> list[Row]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        problems.append(f"{name}: {part}: wanted a list of mappings")
        return []
    return [Row(name, part, dict(entry)) for entry in entries]


def _information_rows(name: str, document: dict[str, Any], problems: list[str]) -> list[Row]:
    """Topics, each with what its classes share; a class may say otherwise. Ids get the kind in front."""
    kind = document.get("kind")
    rows = []
    for topic in _entries(name, "topics", document.get("topics"), problems):
        values = topic.values
        shared, classes = values.pop("shared", {}), values.pop("classes", [])
        rows.append(Row(name, "topics", {"kind": kind, **values}))
        rows += [
            Row(name, "information_classes", _information(str(kind), values.get("id"), {**shared, **entry.values}))
            for entry in _entries(name, f"topics {values.get('id')}: classes", classes, problems)
        ]
    return rows


def _information(kind: str, topic: Any, values: dict[str, Any]) -> dict[str, Any]:
    measure = {key: values.pop(key) for key in MEASURE if key in values}
    if measure:
        values["measure"] = {"metric": values.get("id"), **measure}
    return {**values, "id": f"{kind}.{values.get('id')}", "topic": topic}


def _with_topics(row: Row, by_topic: Mapping[str, list[str]], problems: list[str]) -> Row:
    """A scenario may name whole topics of information classes; they are written out here."""
    values = dict(row.values)
    topics = values.pop("topics", [])
    strange = [topic for topic in topics if topic not in by_topic]
    if strange:
        problems.append(f"{row.file}: {values.get('id')}: topics {strange} are unknown")
    named = [name for topic in topics for name in by_topic.get(topic, [])]
    values["information_classes"] = list(dict.fromkeys([*named, *values.get("information_classes", [])]))
    return row._replace(values=values)


def _by_topic(classes: Iterable[Any]) -> dict[str, list[str]]:
    by_topic: dict[str, list[str]] = {}
    for entry in classes:
        by_topic.setdefault(entry.topic, []).append(entry.id)
    return by_topic


def _put(rows: Iterable[Row], lists: dict[str, dict[str, Any]], problems: list[str]) -> None:
    """Validate rows and put them into their lists; an id that stands twice in the files is a mistake."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        name = str(row.values.get("code", row.values.get("id", "?")))
        try:
            entry = LISTS[row.list].model_validate(row.values)
        except ValidationError as error:
            problems += _explain(row.file, name, error)
            continue
        if (row.list, name) in seen:
            problems.append(f"{row.file}: {name} stands twice in {row.list}")
        seen.add((row.list, name))
        lists[row.list][id_of(entry)] = entry


def _remove(manifest: Mapping[str, Any], lists: dict[str, dict[str, Any]], problems: list[str]) -> None:
    for part, names in (manifest.get("remove") or {}).items():
        gone = [name for name in names if lists.get(part, {}).pop(name, None) is None]
        problems += [f"{MANIFEST}: remove: {part} has no {name}" for name in gone]


def _explain(file: str, name: str, error: ValidationError) -> list[str]:
    told = []
    for problem in error.errors():
        where = ".".join(map(str, problem["loc"])) or "entry"
        told.append(f"{file}: {name}: {where}: got {problem['input']!r:.80}; {problem['msg'].removeprefix('Value error, ')}")
    return told


__all__ = ["FILES", "MANIFEST", "by_id", "extends", "parse", "shipped"]
