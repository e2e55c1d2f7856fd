"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
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
