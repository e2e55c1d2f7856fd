"""`citybrain response`: the month's figures as a table and as JSON, equal to the views."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from citybrain.cli import cli
from citybrain.readonly import read
from citybrain.response import BY, NoSuchMonth, response
from ingest.outgoing import Outgoing
from schemas.figures import change, wilson
from sinks.store import Store
from tests.sinks.test_response import write

OCTOBER = datetime(2026, 10, 10, 2, tzinfo=UTC)


def events() -> list[Outgoing]:
    """Ten cases in October, four of them late on their way, one without arrival; disputes; a few incidents in September and November."""
    made = []
    for number in range(10):
        told = {"case_id": f"c{number}", "grid": "150627001001001", "incident_class": "S06", "department": "甲"}
        stages = [("reported", 0), ("accepted", 30), ("dispatched", 60), ("arrived", 300 if number < 4 else 200)]
        for stage, seconds in stages[: 3 if number == 9 else 4]:
            at = OCTOBER + timedelta(days=number, seconds=seconds)
            made.append(Outgoing("police", "/r", f"{number}-{stage}", at, told | {"stage": stage}))
    for number in range(4):
        told = {"case_id": f"d{number}", "grid": "150627001001001", "incident_class": "D01", "mediation_level": "town"}
        of_case = ("reported", "resolved")[: 1 if number == 3 else 2]
        made += [Outgoing("grid", "/r", f"d{number}-{stage}", OCTOBER, told | {"stage": stage}) for stage in of_case]
    days = [datetime(2026, 8, 20, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)]
    roads = {"grid": "150627001001001", "incident_class": "S06"}
    made += [Outgoing("police", "/r", f"i{number}", day, roads) for number, day in enumerate(days)]
    return made


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    from ingest.city import build_city
    from sinks.migrate import fill_lookups, migrate

    store = Store.connect(str(tmp_path_factory.mktemp("response") / "clickhouse"))
    migrate(store, "Asia/Shanghai")
    fill_lookups(store, build_city(1).places)
    write(store, events())
    yield store
    store.close()


def test_shares_intervals_and_tests(stored: Store) -> None:
    found = response(lambda sql, fmt: read(stored, sql, fmt), "town", date(2026, 10, 1))
    steps = {row["step"]: row for row in found["steps"]}
    assert {row["key"] for row in found["steps"]} == {"150627001"}
    arrive = steps["arrive"]
    assert [arrive[name] for name in ("due", "n", "missing", "disordered", "judged", "met")] == [10, 9, 1, 0, 9, 5]
    assert [arrive["share"], arrive["low"], arrive["high"]] == list(wilson(5, 9)[2:])
    assert arrive["p50_seconds"] == 140
    assert steps["accept"]["met"] == 10
    assert steps["resolve"]["judged"] == 0
    assert steps["resolve"]["share"] is None
    assert [{name: row[name] for name in ("level", "disputes", "settled", "pending")} for row in found["mediation"]] == [
        {"level": "town", "disputes": 4, "settled": 3, "pending": 1}
    ]
    (roads,) = [row for row in found["change"] if row["category"] == "public_safety"]
    assert (roads["current"], roads["previous"], roads["days"], roads["days_previous"]) == (10, 1, 31, 30)
    assert (roads["previous_change"], roads["previous_p"]) == (9.0, change(10, 1, 31, 30).p)
    assert (roads["last_year"], roads["last_year_change"]) == (None, None)


@pytest.mark.parametrize("by", BY)
def test_every_grouping_has_the_same_cases(stored: Store, by: str) -> None:
    found = response(lambda sql, fmt: read(stored, sql, fmt), by, date(2026, 10, 1))  # type: ignore[arg-type]
    assert sum(row["due"] for row in found["steps"] if row["step"] == "arrive") == 10
    assert all(row["name"] for row in found["steps"] if by in {"banner", "town", "community", "grid"})


def test_a_month_without_cases_is_refused_with_those_there_are(stored: Store) -> None:
    with pytest.raises(NoSuchMonth, match="2025-01; months with cases: 2026-10"):
        response(lambda sql, fmt: read(stored, sql, fmt), "town", date(2025, 1, 1))


def test_the_command_prints_tables_and_json(stored: Store, tmp_path: Path) -> None:
    assert tmp_path
    with (
        patch("citybrain.logs.set_up_logs"),
        patch("citybrain.reading.open_query", lambda *_: lambda sql, fmt: read(stored, sql, fmt)),
    ):
        shown = CliRunner().invoke(cli, ["response", "--by", "department"], env={"COLUMNS": "200"})
        told = CliRunner().invoke(cli, ["response", "--by", "tier", "--month", "2026-10", "--json"])
    assert shown.exit_code == told.exit_code == 0, (shown.output, told.output)
    assert "Response times of 2026-10" in shown.output
    assert "55.6% (26.7% to 81.1%)" in shown.output
    assert "+900.0%" in shown.output
    assert json.loads(told.output)["by"] == "tier"
