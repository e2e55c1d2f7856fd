"""Numbered SQL migrations, `sql/NNNN_name.sql`, safe to repeat, and the lookup tables filled from schemas."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple
from uuid import uuid4

import pyarrow as pa

from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import shipped
from schemas.errors import StoreRefused, StoreUnsafe
from schemas.places import Places
from schemas.response import ResponseTiers, shipped_tiers
from schemas.taxonomy import taxonomy
from sinks.catalogue import fill_catalogue
from sinks.restoring import check_restored
from sinks.store import Store
from sinks.tiers import fill_tiers

LEDGER = "CREATE TABLE IF NOT EXISTS migrations (version UInt16, name String, sha256 String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY version"
SMALLEST_WINDOW = 10_000
ENGINES = "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase()"
"""Asks for what `unsafe_tables` looks at."""
GUARDED = ("events", "rejected", "blocks", "counts_minute", "counts_day", "cases", "sensor_rollup", "alerts", "alert_actions")


class Migration(NamedTuple):
    """One numbered file. `sha256` is of the file as shipped, before the time zone is put in."""

    version: int
    name: str
    sha256: str
    statements: list[str]


def migrations(time_zone: str) -> list[Migration]:
    """All migrations in order; `{time_zone}` (IANA) in them is where a day begins."""
    folder = files(__package__).joinpath("sql")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [_read(name, folder.joinpath(name).read_text(encoding="utf-8"), time_zone) for name in names]


def _read(name: str, text: str, time_zone: str) -> Migration:
    digest = hashlib.sha256(text.encode()).hexdigest()
    without_comments = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE).replace("{time_zone}", time_zone)
    statements = [part.strip() for part in without_comments.split(";\n") if part.strip()]
    return Migration(int(name[:4]), name.removesuffix(".sql"), digest, [part.removesuffix(";") for part in statements])


def migrate(store: Store, time_zone: str) -> list[str]:
    """Apply what is missing; names of what was applied. StoreUnsafe: an applied file was changed, or a restore has not ended."""
    check_restored(store)
    store.command(LEDGER)
    applied = dict(store.query("SELECT version, sha256 FROM migrations"))
    done: list[str] = []
    for migration in migrations(time_zone):
        known = applied.get(migration.version)
        if known == migration.sha256:
            continue
        if known is not None:
            message = (
                f"migration {migration.name} was applied as {known[:12]} and is {migration.sha256[:12]} now; "
                "applied files never change: put the old text back and write the change as a new number"
            )
            raise StoreUnsafe(message)
        for statement in migration.statements:
            store.command(statement)
        row = pa.table(
            {"version": pa.array([migration.version], pa.uint16()), "name": [migration.name], "sha256": [migration.sha256]}
        )
        store.insert("migrations", row, f"migration {migration.version}")
        done.append(migration.name)
    return done


def create_holds(store: Store, time_zone: str) -> None:
    """The tables of holds alone: a restore needs them before it has any others."""
    for migration in migrations(time_zone):
        if migration.name.endswith("_holds"):
            for statement in migration.statements:
                store.command(statement)


def fill_lookups(store: Store, places: Places, tiers: ResponseTiers | None = None, catalogue: Catalogue | None = None) -> None:
    """Write areas, classes, response tiers and the catalogue (none: those shipped); rows that are there are replaced by equal ones.

    The names of classes are the catalogue's: a city may have its own words for them.
    """
    words, told = taxonomy(), catalogue or shipped()
    named = {entry.code: entry for entry in told.incident_classes}
    classes = pa.table(
        {
            "incident_class": list(words.classes),
            "category": [words.category_of(code) for code in words.classes],
            "zh": [named[code].zh for code in words.classes],
            "en": [named[code].en for code in words.classes],
        }
    )
    store.insert("classes", classes, f"classes {uuid4()}")  # names that come back after others are no repeat
    fill_catalogue(store, told)
    fill_tiers(store, tiers or shipped_tiers())
    areas = places.areas()
    if areas:
        columns = dict(zip(("level", "code", "name"), (list(column) for column in zip(*areas, strict=True)), strict=True))
        store.insert("areas", pa.table(columns), f"areas {hashlib.sha256(repr(areas).encode()).hexdigest()}")


def check_store(store: Store) -> None:
    """Refuse a store in which a repeated insert could count twice. StoreUnsafe names table, value and fix."""
    try:
        tables = dict(store.query(ENGINES))
    except StoreRefused as error:
        message = f"cannot read system.tables: {error}"
        raise StoreUnsafe(message) from error
    if problems := unsafe_tables(tables):
        raise StoreUnsafe("; ".join(problems))


def unsafe_tables(tables: Mapping[str, str]) -> list[str]:
    """What is wrong with tables given as name -> engine (system.tables), each with its fix."""
    problems = []
    for name in GUARDED:
        if name not in tables:
            problems.append(f"table {name} is missing; run `citybrain migrate`")
            continue
        setting = "replicated_deduplication_window" if "Replicated" in tables[name] else "non_replicated_deduplication_window"
        found = re.search(rf"\b{setting} = (\d+)", tables[name])
        window = int(found.group(1)) if found else 0
        if window < SMALLEST_WINDOW:
            problems.append(
                f"table {name}: {setting} is {window}, wanted at least {SMALLEST_WINDOW}, else a repeated insert counts twice; "
                f"run: ALTER TABLE {name} MODIFY SETTING {setting} = {SMALLEST_WINDOW}"
            )
    return problems
