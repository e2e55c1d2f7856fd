"""`citybrain backfill`."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings

if TYPE_CHECKING:
    from citybrain.backfill.sources import Source
    from sinks.holds import Hold
    from sinks.store import Store


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="How to read FILES: a shipped mapping or a YAML file; without it each line is a CloudEvent.")
@click.option("--city", is_flag=True, help="The simulated city instead of FILES.")
@click.option("--seed", default=1, show_default=True, help="With --city: its seed.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="With --city: the day before which its history ends.")
@click.option("--days", default=1_095, show_default=True, type=click.IntRange(1), help="With --city: days of history.")
@click.option("--events", default=102_000_000, show_default=True, type=click.IntRange(1), help="With --city: at least so many.")
@click.option(
    "--rows", default=100_000, show_default=True, type=click.IntRange(1), help="Rows of a block; fewer take less memory."
)
@click.option("--check", "compare", is_flag=True, help="Read every source again afterwards and compare, record by record.")
@data_dir_option
@json_option
@click.pass_obj
def command(
    settings: Settings, files: tuple[Path, ...], mapping: str | None, city: bool, seed: int, end: datetime | None, days: int,
    events: int, rows: int, compare: bool, data_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Load history into the store, past Kafka: FILES, or years of the simulated city.

    FILES are CSV, NDJSON (plain, .gz, .zst) or Parquet with --mapping, or CloudEvents, one a line. They go through the
    code of the workers and of the loader: same rejects, same classes, same ledger. A file is known by its content: the
    same command again, after a kill or by mistake, goes on where it stopped and counts nothing twice.
    An event that also came through Kafka is another record to the store: load what Kafka never had.

    A chDB folder is opened by this command alone: end its deployment first. On a server, do no maintenance meanwhile.

    \b
    Examples:
      citybrain backfill calls.csv.gz --mapping houston --data-dir city-data
      citybrain backfill events-2024.ndjson.zst events-2025.ndjson.zst --check
      citybrain backfill --city --end 2026-11-01 --days 30 --events 500000 --data-dir city-data
    """
    from citybrain.running import located

    if city == bool(files):
        raise click.UsageError("give FILES or --city")
    if city and end is None:
        raise click.UsageError("--city needs --end, as --end 2026-11-01: the same day again goes on with the same history")
    settings = located(settings, data_dir)
    sources = _sources(settings, files, mapping, seed, end, days, events)
    reports = list(_load(settings, sources, city_seed=seed if city else None, rows=rows, compare=compare))
    if as_json:
        print_json(reports)
    for report in reports if not as_json else []:
        click.echo(
            f"{report['source']}: {report['stored']:,} stored, {report['rejected']:,} rejected, {report['repeated']:,} repeated, "
            f"{report['before']:,} were stored before; {report['blocks']:,} blocks in {report['seconds']:.1f} s"
        )
        if audit := report["audit"]:
            click.echo(f"  {audit['checked']:,} records compared: {'CLEAN' if audit['clean'] else audit}")
    if any(report["audit"] and not report["audit"]["clean"] for report in reports):
        raise SystemExit(1)


def _sources(
    settings: Settings, files: tuple[Path, ...], mapping: str | None, seed: int, end: datetime | None, days: int, events: int
) -> list[Source]:
    from citybrain.backfill.sources import City, file_source
    from ingest.mapping import load_mapping

    if end is not None and not files:
        return [City(seed, end.replace(tzinfo=ZoneInfo(settings.city.time_zone)), days, events)]
    columns = load_mapping(mapping) if mapping else None
    return [file_source(file, columns) for file in files]


def _load(
    settings: Settings, sources: list[Source], *, city_seed: int | None, rows: int, compare: bool
) -> Iterator[dict[str, Any]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from citybrain.backfill.check import check
    from citybrain.backfill.cooking import Recipe
    from citybrain.backfill.run import Backfill
    from citybrain.catalogue_folder import catalogue_of
    from citybrain.places_file import PLACES, known_places, write_places
    from citybrain.tiers_file import configured_tiers
    from ingest.city import build_city
    from sinks.kept import keep
    from sinks.migrate import fill_lookups, migrate
    from sinks.published import publish

    places = known_places(settings.city.places, settings.data_dir)
    if city_seed is not None:
        places = build_city(city_seed).places
        write_places(settings.data_dir / PLACES, places)  # so that a later deployment in this folder knows them
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with _open(settings) as (store, held), Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        migrate(store, settings.city.time_zone)
        fill_lookups(store, places, configured_tiers(settings.city.response_tiers), catalogue_of(settings.city.catalogue))
        for source in sources:
            task = bars.add_task(source.name, total=source.expected)
            recipe = Recipe(places, settings.work.model, settings.work.keep_text, int(time.time() * 1000), rows)
            backfill = Backfill(source, store, settings.data_dir / "backfill", held)
            report = backfill.run(recipe, lambda done, task=task: bars.update(task, completed=done))  # type: ignore[misc]
            audit = None
            if compare:
                bars.update(task, description=f"comparing {source.name}", completed=0)
                audit = check(source, store.query_arrow, lambda done, task=task: bars.update(task, completed=done)).to_dict()  # type: ignore[misc]
            yield dataclasses.asdict(report) | {"records": report.records, "audit": audit}
        if not settings.clickhouse.url.startswith(("http://", "https://")):  # a server's loaders do it
            bars.add_task("response figures", total=None)
            keep(store, margin_seconds=0)
            publish(store)


@contextmanager
def _open(settings: Settings) -> Iterator[tuple[Store, Callable[[], AbstractContextManager[Hold]]]]:
    """The store, and how to hold its loaders. AlreadyRunning when a loader owns the folder."""
    from citybrain.running import LOADER_LOCK, hold
    from sinks.holds import Hold
    from sinks.maintenance import held
    from sinks.store import Store

    url = settings.clickhouse.url
    if url.startswith(("http://", "https://")):
        store = Store.connect(url)
        try:
            yield store, lambda: held(settings.broker, store, "backfill")
        finally:
            store.close()
        return

    @contextmanager
    def alone() -> Iterator[Hold]:
        mine = Hold(store, "backfill")
        try:
            yield mine
        finally:
            mine.release()

    with hold(settings.data_dir, LOADER_LOCK):
        store = Store.connect(url)
        try:
            yield store, alone
        finally:
            store.close()
