"""What changed between two catalogues: entries added, taken out, and fields that differ."""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import LISTS


class Change(NamedTuple):
    """One field of one entry: the values before and after, as plain data."""

    list: str
    id: str
    field: str
    old: Any
    new: Any


class Difference(NamedTuple):
    """Everything that differs. `added` and `removed` hold pairs of list and id."""

    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    changed: list[Change]

    def to_dict(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "added": [{"list": name, "id": key} for name, key in self.added],
            "removed": [{"list": name, "id": key} for name, key in self.removed],
            "changed": [change._asdict() for change in self.changed],
        }


def diff(old: Catalogue, new: Catalogue) -> Difference:
    """From `old` to `new`, list by list, in the order of the files. The order of entries is no difference."""
    difference = Difference([], [], [])
    for name in LISTS:
        before, after = old.entries(name), new.entries(name)
        difference.added.extend((name, key) for key in after if key not in before)
        difference.removed.extend((name, key) for key in before if key not in after)
        for key in before:
            if key in after:
                difference.changed.extend(_changes(name, key, before[key], after[key]))
    head = [("zh", old.zh, new.zh), ("en", old.en, new.en), ("version", old.version, new.version)]
    difference.changed.extend(Change("catalogue", "", field, a, b) for field, a, b in head if a != b)
    return difference


def _changes(name: str, key: str, before: Any, after: Any) -> list[Change]:
    if before == after:
        return []
    one, other = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [Change(name, key, field, one[field], other[field]) for field in one if one[field] != other[field]]
