"""The seed of a run: printed at its start, and in the command that repeats a failure."""

from __future__ import annotations

import os
from typing import Final

import pytest

SHORT_SEED: Final = 20261125
"""The short form runs in CI, where the same tree has to give the same answer."""


def seed_of(config: pytest.Config) -> int:
    """The seed asked for; else that of the short form, or for the full one a new one, drawn once for the whole run."""
    given: int | None = config.getoption("--seed")
    if given is None:
        given = int.from_bytes(os.urandom(3), "big") if config.getoption("--full") else SHORT_SEED
        config.option.seed = given
    return given
