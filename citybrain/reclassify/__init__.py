"""History labelled again: what would change, and the change itself. Why this way: docs/decisions/0025."""

from citybrain.reclassify.changes import Changes
from citybrain.reclassify.run import reclassify, show

__all__ = ["Changes", "reclassify", "show"]
