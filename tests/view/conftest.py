"""One world a module of tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.view.world import World, build_world, places

LATER = 1_000_000
"""First offsets of what a test writes into its copy."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world's folder, made once; closed, because a process holds one chDB folder at a time."""
    folder = tmp_path_factory.mktemp("built") / "clickhouse"
    build_world(folder).store.close()
    return folder


@pytest.fixture(scope="module")
def world(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The city of `tests.view.world` in a chDB of this module's own."""
    folder = tmp_path_factory.mktemp("view") / "clickhouse"
    shutil.copytree(built, folder, symlinks=True)
    made = World(folder, places(), LATER)
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[httpx.Client]:
    """A client of an API over the world."""
    with world.client() as client:
        yield client
