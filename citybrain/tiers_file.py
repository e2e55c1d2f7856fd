"""The file of response tiers that settings name."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import BadSettings
from schemas.response import ResponseTiers, read_tiers, shipped_tiers


def configured_tiers(path: Path | None) -> ResponseTiers:
    """Tiers of the file, or those shipped. BadSettings: the file cannot be read, or what in it is wrong."""
    if path is None:
        return shipped_tiers()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"CITYBRAIN_CITY__RESPONSE_TIERS: cannot read {path}: {error}; its form is that of schemas/response.yaml"
        raise BadSettings(message) from error
    return read_tiers(text, str(path))
