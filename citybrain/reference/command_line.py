"""The page of the command line: the help of every command, as a terminal 96 characters wide shows it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from citybrain.cli import COMMANDS, cli
from citybrain.reference.markdown import fenced

WIDTH = 96


def commands() -> str:
    """Help of `citybrain` and of every command and subcommand, in the order of `citybrain --help`."""
    with click.Context(cli, info_name="citybrain", **{**cli.context_settings, "terminal_width": WIDTH}) as context:
        parts = [fenced(cli.get_help(context), "text")]
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None  # noqa: S101 - it stands in COMMANDS
            parts.extend(_help(command, name, context))
    return "".join(parts)


def _help(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    with click.Context(command, info_name=name, parent=parent) as context:
        yield f"## `{context.command_path}`\n\n" + fenced(command.get_help(context), "text")
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                subcommand = command.get_command(context, inner)
                assert subcommand is not None  # noqa: S101 - the group listed it
                yield from _help(subcommand, inner, context)
