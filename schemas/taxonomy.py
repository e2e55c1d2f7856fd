"""The five risk categories and their incident classes, read from `catalogue/categories.yaml` and `incident_classes.yaml`.

Classes name events, never people or groups. What no rule matches is `U00`, counted and shown, never guessed.
This is the part every process needs; `schemas.catalogue` knows the rest: definitions, departments, tiers, scenarios.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from schemas import strict_yaml

CategoryId = Literal["public_institution", "public_order", "disputes", "public_safety", "cyber", "unclassified"]
UNCLASSIFIED = "U00"


class Category(NamedTuple):
    """One risk category; `letter` starts the codes of its classes."""

    id: CategoryId
    letter: str
    zh: str
    en: str


class IncidentClass(NamedTuple):
    """One incident class; `cap` is its OASIS CAP 1.2 category, `source` the list it was taken from."""

    code: str
    zh: str
    en: str
    cap: str
    source: str


class Taxonomy(NamedTuple):
    """All categories by id and all classes by code, in the order of the file."""

    version: int
    categories: dict[str, Category]
    classes: dict[str, IncidentClass]

    def category_of(self, code: str) -> CategoryId:
        """Category id of a class code. KeyError for a code that is not in the taxonomy."""
        return self.by_letter[self.classes[code].code[0]]

    @property
    def by_letter(self) -> dict[str, CategoryId]:
        """Category id for each leading letter of a class code."""
        return {category.letter: category.id for category in self.categories.values()}


@cache
def taxonomy() -> Taxonomy:
    """The taxonomy shipped with the package. Cached: it never changes while a process runs."""
    categories = {row["id"]: Category(**row) for row in _document("categories")["categories"]}
    classes = {row["code"]: _class_of(row) for row in _document("incident_classes")["incident_classes"]}
    return Taxonomy(_document("catalogue")["version"], categories, classes)


def _class_of(row: dict[str, Any]) -> IncidentClass:
    return IncidentClass(**{name: row[name] for name in IncidentClass._fields})


def _document(name: str) -> Any:
    return strict_yaml.load(files("schemas.catalogue").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
