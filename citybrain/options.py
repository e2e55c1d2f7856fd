"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def data_dir_option(function: F) -> F:
    """--data-dir of a local deployment."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of a local deployment (CITYBRAIN_DATA_DIR).",
    )(function)


def json_option(function: F) -> F:
    """--json for machines."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output instead of text.")(function)


def print_json(value: Any) -> None:
    """One line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


@contextmanager
def bars(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on the terminal's standard error, for a call with (part, done, of all); nothing when it is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(what, total=None)
        yield lambda part, done, total: shown.update(task, description=f"{what} {part}", completed=done, total=total)
