"""The catalogue as plain data, for JSON: every entry with its id, and with what only its place says."""

from __future__ import annotations

from typing import Any

from schemas.catalogue.models import Catalogue, id_of
from schemas.catalogue.read import LISTS
from schemas.taxonomy import taxonomy


def plain(catalogue: Catalogue) -> dict[str, Any]:
    """One object: version, names, and every list. Incident classes get `id` and `category`, information classes `kind`."""
    words = taxonomy()
    whole: dict[str, Any] = {"version": catalogue.version, "zh": catalogue.zh, "en": catalogue.en}
    for name in LISTS:
        whole[name] = [{"id": id_of(entry), **entry.model_dump(mode="json")} for entry in getattr(catalogue, name)]
    for entry in whole["incident_classes"]:
        entry["category"] = words.category_of(entry["code"])
    for entry, row in zip(catalogue.information_classes, whole["information_classes"], strict=True):
        row["kind"] = entry.kind
    return whole
