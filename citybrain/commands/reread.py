"""`citybrain reread`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.places_file import known_places
from citybrain.settings import Settings
from schemas.topics import RAW

TOPICS = [topic.name for topic in RAW.values()]


@click.command()
@click.option("--topic", type=click.Choice(TOPICS), help="Read this raw topic; without it, the holes of all.")
@click.option("--partition", default=0, show_default=True, type=click.IntRange(0), help="Partition of --topic.")
@click.option("--from", "first", type=click.IntRange(0), help="First offset to read.")
@click.option("--to", "last", type=click.IntRange(0), help="Last offset to read, included.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read.")
@data_dir_option
@json_option
@click.pass_obj
def command(
    settings: Settings, topic: str | None, partition: int, first: int | None, last: int | None, dry_run: bool,
    data_dir: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Read raw records again and store what is missing.

    Without --topic it reads the holes: records of the log that no stored block covers although later ones are covered.
    They go through the same code as in a worker; the loader drops what is stored already, so nothing counts twice. Give it
    the settings that the worker has; the places of a local deployment it finds in the data folder.

    \b
    Examples:
      citybrain reread --dry-run
      citybrain reread
      citybrain reread --topic citybrain.police --from 120000 --to 125000
    """
    from rich.console import Console
    from rich.progress import Progress

    from citybrain.coverage import coverage
    from citybrain.reading import open_query
    from citybrain.running import located
    from streams.cook import Kitchen
    from streams.live_rules import LiveRules
    from streams.locate import Locator
    from streams.reread import Range, reread

    if topic and (first is None or last is None or last < first):
        raise click.UsageError("--topic needs --from and --to, --to not before --from")
    settings = located(settings, data_dir)
    if topic is not None and first is not None and last is not None:
        wanted = [Range(topic, partition, first, last)]
    else:
        found = coverage(open_query(settings, data_dir), settings.broker)
        wanted = [Range(part.topic, part.partition, *hole) for part in found for hole in part.holes]
    records = blocks = 0
    if not dry_run and wanted:
        locator, rules = Locator(known_places(settings.city.places, settings.data_dir)), LiveRules(settings.work.model).now()
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
            task = bars.add_task("reading again", total=sum(part.last - part.first + 1 for part in wanted))
            for part in wanted:
                kind = next(kind for kind, raw in RAW.items() if raw.name == part.topic)
                kitchen = Kitchen(kind, locator, rules, settings.work.keep_text)
                done = reread(settings.broker, kitchen, part, lambda n, before=records: bars.update(task, completed=before + n))  # type: ignore[misc]
                records, blocks = records + done.records, blocks + done.blocks
    if as_json:
        print_json({"ranges": [part._asdict() for part in wanted], "records": records, "blocks": blocks, "dry_run": dry_run})
        return
    for part in wanted:
        click.echo(f"{part.topic}[{part.partition}] {part.first} to {part.last}: {part.last - part.first + 1:,} offsets")
    if not wanted:
        click.echo("no holes: every record before the newest stored one is stored")
    elif not dry_run:
        click.echo(f"{records:,} records read again in {blocks:,} blocks; the loader stores what was missing")
