"""`citybrain replay`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citybrain.options import json_option, print_json
from citybrain.settings import Settings

if TYPE_CHECKING:
    from ingest.mapping import Mapping
    from ingest.replay import ReplayReport

SHOWN = 10


def _list_mappings(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from ingest.mapping import shipped_mappings

        for name, about in shipped_mappings().items():
            click.echo(f"{name:18} {about}")
        ctx.exit()


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", required=True, help="How to read FILES: the name of a shipped mapping, or a YAML file.")
@click.option(
    "--speed", default=0.0, type=click.FloatRange(min=0), help="0: at once (default); 1: original pace; N: N times as fast."
)
@click.option(
    "--resume",
    type=click.Path(dir_okay=False, path_type=Path),
    help="State file: what is delivered is noted here; the same command again goes on there.",
)
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_mappings, help="Show the shipped mappings."
)
@click.option(
    "--places-out", type=click.Path(dir_okay=False, path_type=Path), help="Only write the grids of these files, GeoJSON."
)
@json_option
@click.pass_obj
def command(
    settings: Settings, files: tuple[Path, ...], mapping: str, speed: float, resume: Path | None, places_out: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Send the rows of FILES to Kafka as events, by a mapping.

    FILES are CSV, NDJSON (plain, .gz, .zst) or Parquet. A mapping is a YAML file that names the columns; copy a shipped
    one for data of your own (docs/mappings.md). An event's id is its file name and row, or the source's own id, so that
    sending a file twice counts it once.

    \b
    Events that name places are located only if the deployment knows them: write the places first, start it with them.

    \b
    Examples:
      citybrain replay --list
      citybrain replay calls.csv.gz --mapping houston --places-out places.geojson
      CITYBRAIN_CITY__PLACES=places.geojson citybrain up
      citybrain replay calls.csv.gz --mapping houston --resume calls.state
      citybrain replay air.parquet --mapping my-mapping.yaml --speed 3600
    """
    from citybrain.places_file import write_places
    from ingest.events_of import check_file
    from ingest.mapping import load_mapping
    from ingest.places import places_for

    wanted = load_mapping(mapping)
    if places_out:
        places = places_for(wanted, files)
        if places is None:
            raise click.UsageError(f"mapping {mapping} names no places: nothing to write")
        write_places(places_out, places)
        click.echo(f"{len(places.grids)} grids in {places_out}")
        return
    for file in files:
        check_file(wanted, file)
    report = _replay(settings, files, wanted, speed, resume)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        for line in report_lines(report):
            click.echo(line)
    if report.failed:
        raise SystemExit(1)


def _replay(settings: Settings, files: tuple[Path, ...], mapping: Mapping, speed: float, resume: Path | None) -> ReplayReport:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from ingest.producer import EventProducer
    from ingest.replay import replay

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} events sent"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("replay", total=None)
        with EventProducer(settings.broker) as producer:
            return replay(
                files, mapping, producer, speed=speed, resume=resume,
                progress=lambda sent: bars.update(task, completed=sent),
            )  # fmt: skip


def report_lines(report: ReplayReport) -> list[str]:
    """A replay's outcome as text."""
    lines = [f"{report.delivered:,} delivered, {report.failed:,} failed"]
    if report.first_at and report.last_at:
        lines.append(f"events from {report.first_at:%Y-%m-%d %H:%M} to {report.last_at:%Y-%m-%d %H:%M} UTC")
    lines += [f"left out: {count:,} rows, {reason}" for reason, count in report.left_out.items()]
    lines += [f"changed: {count:,} rows, {reason}" for reason, count in report.altered.items()]
    if report.unmapped:
        rows, codes = sum(report.unmapped.values()), len(report.unmapped)
        lines.append(f"without a class from the mapping: {rows:,} rows with {codes:,} codes; the worker decides. Most often:")
        most = sorted(report.unmapped.items(), key=lambda pair: -pair[1])[:SHOWN]
        lines += [f"  {count:>8,}  {code}" for code, count in most]
    return lines
