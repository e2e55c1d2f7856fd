"""Catalogues from folders: a city's own, as the settings name it."""

from __future__ import annotations

from pathlib import Path

from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import extends, parse, shipped
from schemas.errors import BadCatalogue


def catalogue_of(folder: Path | None) -> Catalogue:
    """The catalogue of a folder, laid over the shipped one if it says so; the shipped one without a folder.

    BadCatalogue names every file and entry that is wrong, and what was wanted.
    """
    if folder is None:
        return shipped()
    texts = _texts(folder)
    try:
        return parse(texts, shipped() if extends(texts) else None)
    except BadCatalogue as error:
        raise BadCatalogue(f"catalogue {folder}:\n{error}") from error


def _texts(folder: Path) -> dict[str, str]:
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise BadCatalogue(f"catalogue {folder}: {error}") from error
    if not texts:
        raise BadCatalogue(f"catalogue {folder}: no *.yaml in it; wanted a folder with catalogue.yaml (docs/catalogue.md)")
    return texts
