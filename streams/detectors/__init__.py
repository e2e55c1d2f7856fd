"""Detectors: pure functions of numpy arrays. Each module has one family; the registry names what the watch runs."""

from __future__ import annotations

from typing import Final

from streams.detectors.ears import EarsC2
from streams.detectors.protocol import Detector

DETECTORS: Final[dict[str, Detector]] = {"ears_c2": EarsC2()}
"""What the watch runs, by name."""
