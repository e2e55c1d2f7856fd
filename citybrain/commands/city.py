"""`citybrain city`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings
from ingest.outgoing import Wire
from schemas.events import Kind

if TYPE_CHECKING:
    from ingest.city import City


@click.command()
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
@click.option("--events", default=1_000_000, show_default=True, help="At least so many records over six weeks and a day.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The played day, in the city's time zone.")
@click.option(
    "--part", type=click.Choice(["history", "day"]), default="day", show_default=True, help="The six weeks before, or the day."
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(get_args(Kind)),
    help="Only these kinds; several producers share the work so.",
)
@click.option("--over-seconds", default=0.0, help="Spread the records evenly over so long; 0 sends at once.")
@click.option(
    "--live", "alive", is_flag=True, help="By the clock until Ctrl-C: today until now at once, then each event in its time."
)
@click.option("--quiet", is_flag=True, help="Without the three bursts of the played day: what a false alarm is measured on.")
@click.option("--places-out", type=click.Path(dir_okay=False, path_type=Path), help="Only write the city's grids as GeoJSON.")
@data_dir_option
@json_option
@click.pass_obj
def command(
    settings: Settings, data_dir: Path | None, seed: int, events: int, day: datetime | None, part: str, kinds: tuple[Kind, ...],
    over_seconds: float, alive: bool, quiet: bool, places_out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Send the simulated city to Kafka: 245 grids, 110 calls by a real week's figures, grid reports, sensors.

    \b
    Examples:
      citybrain city --places-out city.geojson
      citybrain city --part day --day 2026-11-20 --over-seconds 60
      citybrain city --live
    """
    from citybrain.places_file import write_places
    from citybrain.running import located
    from ingest.city import build_city, make_plan
    from ingest.city.plan import merged
    from ingest.producer import EventProducer

    city = build_city(seed)
    if places_out:
        write_places(places_out, city.places)
        click.echo(f"{len(city.places.grids)} grids in {places_out}")
        return
    if alive:
        _live(settings, data_dir, city, events, kinds, quiet=quiet)
        return
    if day is None:
        raise click.UsageError("give --day, as --day 2026-11-20")
    plan = make_plan(city, day.replace(tzinfo=ZoneInfo(settings.city.time_zone)), events, quiet=quiet)
    if kinds:
        wires: Iterator[Wire] = (wire for kind in kinds for wire in plan.records(kind, played=part == "day"))
    else:
        wires = merged(plan, played=part == "day")
    with EventProducer(located(settings, data_dir).broker) as producer:
        for wire in _paced(wires, over_seconds):
            producer.send_wire(wire)
    if as_json:
        print_json({"sent": producer.sent, "delivered": producer.delivered, "failed": producer.failed})
    else:
        click.echo(f"{producer.delivered:,} delivered, {producer.failed:,} failed")
    if producer.failed:
        raise SystemExit(1)


def _live(settings: Settings, data_dir: Path | None, city: City, events: int, kinds: tuple[Kind, ...], *, quiet: bool) -> None:
    """Send until Ctrl-C; what a producer still holds is delivered before each pause."""
    from citybrain.running import located
    from ingest.city import make_plan
    from ingest.city.live import live
    from ingest.producer import EventProducer

    zone = ZoneInfo(settings.city.time_zone)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    with EventProducer(located(settings, data_dir).broker) as producer:
        told = live(lambda day: make_plan(city, day, events, quiet=quiet), today, lambda: datetime.now(zone), time.sleep)
        for event in told:
            if not kinds or event.kind in kinds:
                producer.send(event)


def _paced(wires: Iterator[Wire], seconds: float) -> Iterator[Wire]:
    """The records, evenly over `seconds`."""
    if not seconds:
        yield from wires
        return
    everything = list(wires)
    started = time.monotonic()
    for number, wire in enumerate(everything):
        due = started + seconds * number / len(everything)
        if (wait := due - time.monotonic()) > 0.005:
            time.sleep(wait)
        yield wire
