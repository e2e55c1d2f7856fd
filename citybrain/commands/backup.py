"""`citybrain backup`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from citybrain.options import bars, data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@click.argument("dest", type=click.Path(file_okay=False, path_type=Path))
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, dest: Path, data_dir: Path | None, as_json: bool) -> None:
    """Write all tables of the store into DEST, a new folder on this machine, as they are at one moment.

    Works on a ClickHouse server, on the store of a deployment that runs, and on the folder of one that has ended. Loaders
    are held for the moment in which every table is cloned by links, then they go on while the clones are read. DEST
    appears when it is whole and on disk; every file in it has its SHA-256 in DEST/manifest.json.

    The log is no part of it: what comes after the backup is stored again from Kafka after `citybrain restore`, so keep a
    backup no longer than citybrain.risk keeps records (docs/topics.md), or the raw topics for `citybrain reread`. What
    was done to the store itself after the backup is not in the log: backfill, reclassify and repair again.
    DEST holds what the tables hold: keep it as safe as the store.

    \b
    Examples:
      citybrain backup /backups/city-1 --data-dir city-data
      CITYBRAIN_CLICKHOUSE__URL=http://admin:secret@clickhouse-1:8123/city citybrain backup city-1 --json
    """
    from citybrain.backup import save
    from citybrain.backup.access import opened
    from citybrain.running import located

    settings, started = located(settings, data_dir), time.monotonic()
    with opened(settings, saving=True) as (store, held), bars("saving") as told:
        manifest = save(store, held, dest, settings.city.time_zone, told)
    size = sum(path.stat().st_size for path in dest.rglob("*") if path.is_file())
    if as_json:
        print_json(
            {
                "backup": manifest.backup,
                "folder": str(dest),
                "made_at": manifest.made_at,
                "rows": {table.name: table.rows for table in manifest.tables},
                "bytes": size,
                "seconds": round(time.monotonic() - started, 1),
                "next_offsets": manifest.next_offsets,
            }
        )
    else:
        click.echo(
            f"{dest}: {manifest.rows:,} rows of {len(manifest.tables)} tables as of {manifest.made_at}, {size:,} bytes, "
            f"in {time.monotonic() - started:.1f} s"
        )
