"""`citybrain replay` without a broker: what it shows and what it refuses before sending."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from citybrain.commands.replay import command, report_lines
from citybrain.settings import Settings
from ingest.replay import ReplayReport
from schemas.errors import BadMapping

HOUSTON = "occurred_local,offense,beat,lon,lat\n2010-01-01T01:00:00,theft,1A10,-95.4,29.7\n2010-01-01T02:00:00,theft,1A20,,\n"


def test_the_shipped_mappings_are_listed_with_a_line_each() -> None:
    result = CliRunner().invoke(command, ["--list"])

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()][:3] == ["beijing_air", "charlottesville", "chicago"]


def test_places_of_the_files_are_written_and_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "houston.csv").write_text(HOUSTON, encoding="utf-8")
    out = tmp_path / "places.geojson"

    result = CliRunner().invoke(
        command, [str(tmp_path / "houston.csv"), "--mapping", "houston", "--places-out", str(out)], obj=Settings()
    )

    assert result.output == f"2 grids in {out}\n"
    assert [feature["properties"]["name"] for feature in orjson.loads(out.read_bytes())["features"]] == ["1A10", "1A20"]


def test_a_file_of_another_source_is_refused_before_the_broker_is_asked(tmp_path: Path) -> None:
    """The default broker is not there in this test: reaching for it would fail otherwise."""
    (tmp_path / "houston.csv").write_text(HOUSTON, encoding="utf-8")

    result = CliRunner().invoke(command, [str(tmp_path / "houston.csv"), "--mapping", "sf"], obj=Settings())

    assert isinstance(result.exception, BadMapping)
    assert "columns ['call_date_time', 'crime_id', 'original_crime_type_name'] are missing" in str(result.exception)


@pytest.mark.parametrize("speed", ["-1", "fast"])
def test_an_impossible_speed_is_a_usage_error(tmp_path: Path, speed: str) -> None:
    (tmp_path / "houston.csv").write_text(HOUSTON, encoding="utf-8")

    assert CliRunner().invoke(command, [str(tmp_path / "houston.csv"), "--mapping", "houston", "--speed", speed]).exit_code == 2


def test_the_report_tells_what_was_left_out_and_the_ten_most_frequent_unknown_codes() -> None:
    at = datetime(2024, 1, 1, 12, tzinfo=UTC)
    unmapped = {f"code {n}": n for n in range(1, 13)}
    report = ReplayReport(100, 100, 0, {"time_not_readable": 3}, {"text_cut": 2}, unmapped, at, at)

    lines = report_lines(report)

    assert lines[:4] == [
        "100 delivered, 0 failed",
        "events from 2024-01-01 12:00 to 2024-01-01 12:00 UTC",
        "left out: 3 rows, time_not_readable",
        "changed: 2 rows, text_cut",
    ]
    assert "78 rows with 12 codes" in lines[4]
    assert [line.split()[-1] for line in lines[5:]] == [str(n) for n in range(12, 2, -1)]
