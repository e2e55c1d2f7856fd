"""Text models by name: `builtin`, the written rules, or a file that `citybrain train` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from schemas.errors import BadModel
from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams.model_file import read_model
from streams.rules import shipped_rules
from streams.scorer import Scorer

BUILTIN: Final = "builtin"
BUILTIN_MEANING: Final = {"fraud": "cyber", "other": "unclassified"}
"""What foreign labels read as, where a file is compared with the built-in rules without a map."""


def open_scorer(model: str) -> Scorer:
    """BadModel: the file is missing, broken, or not what its hash says."""
    if model == BUILTIN:
        return shipped_rules().scorer
    try:
        return Scorer(read_model(Path(model)))
    except ValueError as error:
        raise BadModel(model, str(error)) from error


def category_of(label: str) -> str | None:
    """The risk category of an incident class; None for a label that is no class."""
    return taxonomy().category_of(label) if label in taxonomy().classes else None


def comparable(label: str, wanted: set[str]) -> str:
    """A class as the labels of a file name it: the class itself where the file has classes, else its category."""
    if label in wanted or (label == UNCLASSIFIED and UNCLASSIFIED in wanted):
        return label
    if wanted & set(taxonomy().classes):
        return label
    return category_of(label) or label
