"""`citybrain migrate`."""

from __future__ import annotations

import click

from citybrain.catalogue_folder import catalogue_of
from citybrain.options import json_option, print_json
from citybrain.places_file import read_places
from citybrain.settings import Settings
from citybrain.tiers_file import configured_tiers


@click.command()
@json_option
@click.pass_obj
def command(settings: Settings, as_json: bool) -> None:
    """Create or bring up to date the tables, views and lookups. Safe to repeat.

    Files are applied in order of their number and never change afterwards; the store's table `migrations` tells which.

    \b
    Examples:
      citybrain migrate
      CITYBRAIN_CLICKHOUSE__URL=http://admin:secret@clickhouse-1:8123/city citybrain migrate --json
    """
    from sinks.migrate import check_store, fill_lookups, migrate
    from sinks.store import Store

    store = Store.connect(settings.clickhouse.url)
    applied = migrate(store, settings.city.time_zone)
    fill_lookups(
        store, read_places(settings.city.places), configured_tiers(settings.city.response_tiers),
        catalogue_of(settings.city.catalogue),
    )  # fmt: skip
    check_store(store)
    if as_json:
        print_json({"applied": applied})
    else:
        click.echo(f"applied {', '.join(applied)}" if applied else "nothing to do: every migration is applied")
