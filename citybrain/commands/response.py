"""`citybrain response`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citybrain.options import data_dir_option, json_option, print_json
from citybrain.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

CHOICES = ("banner", "town", "community", "grid", "department", "tier")


@click.command()
@click.option("--by", type=click.Choice(CHOICES), default="town", show_default=True, help="What the times are shown by.")
@click.option(
    "--month", type=click.DateTime(["%Y-%m"]), metavar="YYYY-MM", help="Month of the cases; without it the newest one."
)
@data_dir_option
@json_option
@click.pass_obj
def command(settings: Settings, by: Any, month: datetime | None, data_dir: Path | None, as_json: bool) -> None:
    """Show how fast cases were answered in a month: by area, department or response tier (1-3-5).

    accept runs from reported, dispatch from accepted, arrive from dispatched, resolve from reported. The share is of the
    judged ones: measured, and with a limit in their tier. Cases without the time are in "missing", those whose times
    are in the wrong order in "disordered": never met. The interval is Wilson's, 95 %. Then mediation by level, and
    incidents beside the month and the year before, with the exact test. docs/tables.md has the views behind it.

    \b
    Examples:
      citybrain response
      citybrain response --by department --month 2026-11
      citybrain response --by tier --json
    """
    from citybrain.reading import open_query
    from citybrain.response import response

    found = response(open_query(settings, data_dir), by, month.date() if month else None)
    if as_json:
        print_json(found)
        return
    from rich.console import Console

    console = Console()
    for table in (_steps(found), _mediation(found), _change(found)):
        console.print(table)


def _steps(found: dict[str, Any]) -> Table:
    rows = [
        (
            row["name"] or row["key"] or "none", row["step"], row["due"], row["n"], row["missing"], row["disordered"],
            _share(row), _seconds(row["p50_seconds"]), _seconds(row["p90_seconds"]),
        )
        for row in found["steps"]
    ]  # fmt: skip
    columns = (found["by"], "step", "due", "n", "missing", "disordered", "in time", "p50", "p90")
    return _table(f"Response times of {found['month']}", columns, rows)


def _mediation(found: dict[str, Any]) -> Table:
    rows = [
        (row["level"], row["disputes"], row["settled"], row["failed"], row["pending"], _share(row))
        for row in found["mediation"]
    ]
    return _table("Disputes by mediation level", ("level", "disputes", "settled", "failed", "pending", "success"), rows)


def _change(found: dict[str, Any]) -> Table:
    rows = [
        (
            row["category"] or "none", row["days"], row["current"],
            _other(row["previous"]), _ratio(row["previous_change"]), _chance(row["previous_p"]),
            _other(row["last_year"]), _ratio(row["last_year_change"]), _chance(row["last_year_p"]),
        )
        for row in found["change"]
    ]  # fmt: skip
    columns = ("category", "days", "incidents", "month before", "change", "p", "year before", "change", "p")
    return _table("Incidents beside the same days before", columns, rows)


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number and column != "step" else "left")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return table


def _share(row: dict[str, Any]) -> str:
    if row["share"] is None:
        return "-"
    return f"{row['share']:.1%} ({row['low']:.1%} to {row['high']:.1%})"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} s"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1%}"


def _chance(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _other(value: int | None) -> int | str:
    return "not known" if value is None else value
