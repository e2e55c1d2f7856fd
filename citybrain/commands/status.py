"""`citybrain status`."""

from __future__ import annotations

from pathlib import Path

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings


@click.command()
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, data_dir: Path | None, as_json: bool) -> None:
    """Show what is running, how far it is and what lags.

    `behind` counts records in Kafka that are not stored yet, `holes` records that were passed over: run `citybrain
    reread` for those. `busy` is the share of its time that the loader spends on storing.

    \b
    Examples:
      citybrain status
      citybrain status --data-dir demo-data --json
    """
    from citybrain.reading import open_query
    from citybrain.running import located
    from citybrain.status import status

    found = status(located(settings, data_dir), open_query(settings, data_dir))
    if as_json:
        print_json(found)
        return
    deployment = found["deployment"]
    click.echo(
        f"deployment  {'process ' + str(deployment['pid']) if deployment else 'none runs here'} · Kafka at {found['broker']}"
    )
    members = " · ".join(f"{name} {count}" for name, count in found["groups"]["members"].items())
    busy = found["groups"]["loader_busy"]
    click.echo(f"members     {members}" + ("" if busy is None else f" · loader busy {busy:.0%}"))
    for topic in found["topics"]:
        click.echo(
            f"{topic['topic']}[{topic['partition']}]  records {topic['end'] - topic['start']:,} · behind {topic['behind']:,} · holes {topic['holes']:,}"
        )
    ledger = found["ledger"]
    click.echo(
        f"ledger      {ledger['blocks']:,} blocks · {ledger['stored']:,} stored · {ledger['rejected']:,} rejected · "
        f"{ledger['repeated'] + ledger['conflict']:,} repeated · {ledger['redelivered']:,} redelivered and dropped"
    )
    if ledger["newest"]:
        click.echo(f"newest      {ledger['newest']} UTC, {int(ledger['seconds_since']):,} s ago")
