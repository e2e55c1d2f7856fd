"""`citybrain view`."""

from __future__ import annotations

from pathlib import Path

import click

from citybrain.metrics_server import serve_metrics
from citybrain.options import data_dir_option, json_option, print_json
from citybrain.ports import free_port
from citybrain.settings import Settings
from schemas.errors import BadSettings

TOKENS = "tokens.json"
"""The token file of a local deployment, in its data folder."""


@click.group(invoke_without_command=True)
@data_dir_option
@json_option
@click.pass_context
def command(context: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """Serve the city over HTTP until Ctrl-C: counts, alerts, cases, a live stream, exports (docs/api.md).

    Part of `citybrain up`. Reads the store of a running `up` or `demo`, or CITYBRAIN_CLICKHOUSE__URL; actions on alerts go
    to Kafka. It listens on CITYBRAIN_VIEW__HOST and CITYBRAIN_VIEW__PORT, on loopback unless there are tokens. Without a
    token one sees the whole city, whole days only, and no count from 1 to 4.

    \b
    Examples:
      citybrain view --data-dir demo-data
      citybrain view token new desk-1 --scope city --duty
      citybrain view token new yuanding --scope community:150627004001
      CITYBRAIN_VIEW__TOKENS=tokens.json CITYBRAIN_VIEW__HOST=0.0.0.0 citybrain view
    """
    if context.invoked_subcommand:
        return
    from citybrain.view_server import serve

    settings: Settings = context.obj
    settings = with_tokens(settings, data_dir)
    port = settings.view.port or _free_port(settings.view.host)
    if as_json:
        print_json({"part": "view", "url": url_of(settings, port)})
    else:
        click.echo(url_of(settings, port))
    serve_metrics(settings.metrics.port)
    serve(settings, data_dir, settings.view.host, port)


@command.group()
def token() -> None:
    """Who may see what: tokens by name, scope and duty."""


@token.command("new")
@click.argument("name")
@click.option("--scope", required=True, help="city, community:<12 digits>, or department:<id> as department:police.")
@click.option("--duty", is_flag=True, help="May see single events and exact counts, and act on alerts.")
@data_dir_option
@json_option
@click.pass_obj
def new(settings: Settings, name: str, scope: str, duty: bool, data_dir: Path | None, as_json: bool) -> None:
    """Make a token and print its secret, once: the file keeps only a hash.

    NAME stands in the access log and beside actions: a desk or a role, not a person. The file is CITYBRAIN_VIEW__TOKENS,
    else tokens.json in the data folder. A running view reads it when it starts again.

    \b
    Examples:
      citybrain view token new desk-1 --scope city --duty
      citybrain view token new fire-1 --scope department:fire --duty
    """
    from citybrain.catalogue_folder import catalogue_of
    from citybrain.view_tokens import add_token
    from view.who import Scope

    path = settings.view.tokens or (data_dir or settings.data_dir) / TOKENS
    catalogue = catalogue_of(settings.city.catalogue)
    try:
        wanted = Scope.parse(scope, catalogue)
    except ValueError as error:
        raise BadSettings(str(error)) from error
    secret = add_token(path, name, wanted, catalogue, duty=duty)
    if as_json:
        print_json({"name": name, "scope": str(wanted), "duty": duty, "file": str(path), "secret": secret})
        return
    click.echo(secret)
    click.echo(f"kept as a hash in {path}; send it as Authorization: Bearer", err=True)


def with_tokens(settings: Settings, data_dir: Path | None) -> Settings:
    """The settings, with the token file of the data folder where none is named and one is there."""
    path = (data_dir or settings.data_dir) / TOKENS
    if settings.view.tokens or not path.exists():
        return settings
    return settings.model_copy(update={"view": settings.view.model_copy(update={"tokens": path})})


def url_of(settings: Settings, port: int) -> str:
    """Where the view answers."""
    host = f"[{settings.view.host}]" if ":" in settings.view.host else settings.view.host
    return f"http://{host}:{port}/api/v1/state"


def _free_port(host: str) -> int:
    try:
        return free_port(host)
    except OSError as error:
        message = f"CITYBRAIN_VIEW__HOST {host!r}: {error}; wanted an address of this machine, as 127.0.0.1 or 0.0.0.0"
        raise BadSettings(message) from error
