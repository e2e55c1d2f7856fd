"""The command line. Each command is a module of `citybrain.commands`, imported when it is asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from citybrain.settings import Settings
from schemas.errors import CitybrainError

COMMANDS = {
    "demo": "A simulated city, or your files, through a real Kafka and ClickHouse; ends with a report.",
    "up": "Run a whole local deployment: Kafka, worker, loader, queries, HTTP API, metrics.",
    "work": "Run one worker: raw topics to blocks.",
    "load": "Run one loader: blocks to ClickHouse.",
    "notify": "Tell an Alertmanager of the city's alerts.",
    "watch": "Run the watch: detectors over the aggregates, alerts out.",
    "serve-store": "Let several loaders share one embedded store: ClickHouse over HTTP on loopback.",
    "replay": "Send files to Kafka by a mapping.",
    "city": "Send the simulated city to Kafka, or write its places.",
    "backfill": "Load history from files or the simulated city into the store, past Kafka; resumable.",
    "reread": "Read raw offsets again and store what is missing.",
    "migrate": "Create or bring up to date the tables.",
    "topics": "Create the topics, show what is there.",
    "query": "Run a read-only query.",
    "view": "Serve the city over HTTP: counts, alerts, live stream, exports; make tokens.",
    "response": "How fast cases were answered, mediation, change.",
    "audit": "Compare the raw log with ClickHouse: nothing lost, nothing twice.",
    "backup": "Write all tables into a folder, as they are at one moment.",
    "restore": "Put a backup back; loaders store from Kafka what came later.",
    "train": "Learn a text model from labelled texts.",
    "evaluate": "Say how right a text model is.",
    "classify": "Give each text of a file a label.",
    "explain": "Say why a text gets its label.",
    "reclassify": "Label history again by the rules in force; shows first what would change.",
    "rejected": "List, show, export or retry rejected records.",
    "catalogue": "Classes, departments, scenarios: list, search, check, compare.",
    "status": "What is running, how far it is, what lags.",
    "check": "Check settings, places, broker, topics and store.",
}


class _Commands(click.Group):
    """Imports a command's module only when it runs, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"citybrain.commands.{name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file with settings.")
@click.version_option(package_name="citybrain")
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """A city's events in one exact stream: Kafka, Faust, ClickHouse.

    Settings come from CITYBRAIN_* and an optional TOML file (--config or CITYBRAIN_CONFIG); docs/settings.md lists
    them. Start with `citybrain demo`.
    """
    from citybrain.logs import set_up_logs

    if config:
        os.environ["CITYBRAIN_CONFIG"] = str(config.absolute())  # the parts that `up` and `demo` start read it too
    settings = Settings.load(config)
    set_up_logs(settings.log)
    ctx.obj = settings


def main() -> None:
    """Entry point: an error of ours is one readable line and exit code 1."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        raise SystemExit(leaving.exit_code) from None
    except click.Abort:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Whoever read our output has enough, as `head` has; what is left in the buffer has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except CitybrainError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(1) from None
    except Exception as error:
        if not type(error).__module__.startswith("kafka."):
            raise
        click.echo(f"Error: Kafka: {error}; is it running, and is CITYBRAIN_BROKER__BOOTSTRAP (or --data-dir) right?", err=True)
        raise SystemExit(1) from None
