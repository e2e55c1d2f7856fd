"""`citybrain query`."""

from __future__ import annotations

from pathlib import Path

import click

from citybrain.options import data_dir_option
from citybrain.settings import Settings


@click.command()
@click.argument("sql")
@click.option(
    "--format",
    "fmt",
    default="PrettyCompact",
    show_default=True,
    help="Output format of ClickHouse: JSONEachRow, CSVWithNames, ...",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format JSONEachRow.")
@data_dir_option
@click.pass_obj
def command(settings: Settings, sql: str, fmt: str, as_json: bool, data_dir: Path | None) -> None:
    """Run one read-only query and print the answer.

    Works while `up` or `demo` runs (by the socket in its data folder) and after it has ended. Writing, and functions
    that reach files or hosts (file, url, remote, ...), are refused; one that takes more than ten minutes is stopped.
    docs/tables.md lists tables and published views.

    \b
    Examples:
      citybrain query "SELECT category, sum(events) FROM v_counts_day GROUP BY category"
      citybrain query "SELECT * FROM v_cases LIMIT 3" --format JSONEachRow --data-dir demo-data
    """
    from citybrain.reading import open_query

    answer = open_query(settings, data_dir)(sql, "JSONEachRow" if as_json else fmt)
    click.get_binary_stream("stdout").write(answer)
