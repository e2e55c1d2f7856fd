"""The store of tests.sinks for tests that need one here: one migrated chDB a module."""

from __future__ import annotations

from tests.sinks.conftest import module_store, store, store_path

__all__ = ["module_store", "store", "store_path"]
