"""The whole repair of a deployment: the tables under a hold, then holes that the loader fills, waited for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from citybrain.coverage import coverage
from citybrain.maintaining import open_store
from citybrain.places_file import known_places
from citybrain.reading import open_query
from citybrain.repair import repair
from citybrain.settings import Settings
from schemas.errors import StoreUnavailable
from schemas.events import Kind
from schemas.topics import RAW
from streams.cook import Kitchen
from streams.live_rules import LiveRules
from streams.locate import Locator
from streams.reread import Range, reread

WAIT_SECONDS: Final = 60.0
"""For the loader to store what was read again."""


def repair_all(settings: Settings, data_dir: Path | None) -> dict[str, Any]:
    """What was mended, by name. `settings` are located. StoreUnavailable when no loader stores what was read again."""
    locator, rules = Locator(known_places(settings.city.places, settings.data_dir)), LiveRules(settings.work.model).now()

    def kitchen(kind: Kind) -> Kitchen:
        return Kitchen(kind, locator, rules, settings.work.keep_text)

    with open_store(settings, data_dir) as store:
        done = repair(settings.broker, store, kitchen)
    records = 0
    for part in coverage(open_query(settings, data_dir), settings.broker):
        kind = next(kind for kind, raw in RAW.items() if raw.name == part.topic)
        for first, last in part.holes:
            records += reread(settings.broker, kitchen(kind), Range(part.topic, part.partition, first, last)).records
    if records:
        _wait_until_covered(settings, data_dir)
    return {**done.to_dict(), "read_again": records}


def _wait_until_covered(settings: Settings, data_dir: Path | None) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while any(part.holes for part in coverage(open_query(settings, data_dir), settings.broker)):
        if time.monotonic() > deadline:
            cause = f"records were read again, and no loader stored them in {WAIT_SECONDS:.0f} s: start `citybrain load`, then audit again"
            raise StoreUnavailable("events", 0, cause)
        time.sleep(0.5)
