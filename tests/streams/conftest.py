"""The store of tests.sinks for tests that need one here: one migrated chDB a module."""

from __future__ import annotations

from tests.sinks.conftest import module_store, store, store_kind, store_path, store_url

__all__ = ["module_store", "store", "store_kind", "store_path", "store_url"]
