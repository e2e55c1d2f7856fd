"""A text model on disk. The one place that opens it."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import BadModel
from schemas.text_model import TextModel, from_bytes


def read_model(path: Path) -> TextModel:
    """The model in a file. BadModel for a file that is missing, broken, of another form, or of another hash."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadModel(str(path), f"cannot be read ({error.strerror})") from error
    return from_bytes(content, str(path))
