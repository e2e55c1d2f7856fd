"""`citybrain restore`."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import click

from citybrain.options import bars, data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@click.argument("src", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Remove what is in the store; without it a store with rows is refused.")
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, src: Path, replace: bool, data_dir: Path | None, as_json: bool) -> None:
    """Put back what `citybrain backup` wrote into SRC. Loaders then store what came later from Kafka, each record once.

    Works on a ClickHouse server, on the store of a deployment that runs, and on the folder of one that has ended. Tables
    are filled beside those that are there, compared with the backup's counts, and put in place of them while all loaders
    are held; until then nothing is changed. A restore that is killed is begun again by the same command; meanwhile no
    loader writes. Newer migrations are applied at the end.

    Afterwards the ledger is that of the backup, and loaders go on behind it: `citybrain status` shows how far they are,
    `citybrain audit` whether anything is missing. If Kafka has removed what comes next, a loader stops and says so:
    `citybrain load --skip-gone`, then `citybrain reread`.

    \b
    Examples:
      citybrain restore /backups/city-1 --data-dir city-data --replace
      CITYBRAIN_CLICKHOUSE__URL=http://admin:secret@clickhouse-2:8123/city citybrain restore city-1
    """
    from citybrain.backup import put_back
    from citybrain.backup.access import opened
    from citybrain.running import located

    settings, started = located(settings, data_dir), time.monotonic()
    with opened(settings, saving=False) as (store, held), bars("restoring") as told:
        done = put_back(store, held, src, settings.city.time_zone, replace=replace, told=told)
    if as_json:
        print_json(dataclasses.asdict(done) | {"seconds": round(time.monotonic() - started, 1)})
        return
    click.echo(
        f"{done.rows:,} rows as of {done.made_at} in {time.monotonic() - started:.1f} s; {done.removed:,} rows were removed"
    )
    if done.migrated:
        click.echo(f"applied {', '.join(done.migrated)}")
    click.echo("loaders go on behind them from Kafka; `citybrain status` shows how far, `citybrain audit` whether all is there")
