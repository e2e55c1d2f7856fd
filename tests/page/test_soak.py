"""The short form of `make soak-page`, which CI runs for ten minutes at its end (docs/decisions/0053)."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.page.soak import misses, soak
from tests.page.world import CityProcess

SECONDS = 30.0
FIRST_TIME = 1.5e6
"""Bytes: compiled code and caches of what is done for the first time; a leak of a change would be some megabytes in the long form."""


def test_an_open_desk_does_not_grow(chromium: Browser, city: CityProcess) -> None:
    before, after, changes = soak(chromium, city, SECONDS)
    print(f"{changes} changes: {before} -> {after}")

    assert changes > 5
    assert misses(before, after, FIRST_TIME) == []
