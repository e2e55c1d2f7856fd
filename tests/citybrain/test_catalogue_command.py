"""`citybrain catalogue`: the whole as one object, lists, search, check, diff, coverage; a city's own folder by setting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from citybrain.cli import cli
from schemas.taxonomy import taxonomy

HEAD = "version: 2\nextends: citybrain\nzh: 示例旗目录\nen: Example banner\n"
WATER = "departments:\n  - {id: water, kind: bureau, zh: 水务局, en: Water authority, duty: {zh: 供水, en: Water supply}}\n"


def run(*arguments: str, code: int = 0, **environment: str) -> Result:
    done = CliRunner().invoke(cli, ["catalogue", *arguments], env=environment)
    assert done.exit_code == code, done.output
    return done


def answer(*arguments: str, code: int = 0, **environment: str) -> Any:
    return json.loads(run(*arguments, "--json", code=code, **environment).output)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "catalogue.yaml").write_text(HEAD, encoding="utf-8")
    (folder / "departments.yaml").write_text(WATER, encoding="utf-8")
    return folder


def test_the_whole_is_one_object_with_its_lists() -> None:
    whole = answer()
    counts = {name: len(whole[name]) for name in ("incident_classes", "information_classes", "scenarios")}
    assert counts == {"incident_classes": len(taxonomy().classes), "information_classes": 285, "scenarios": 27}
    assert [entry["id"] for entry in whole["categories"]] == list(taxonomy().categories)
    assert {"zh", "en", "duty"} <= set(whole["departments"][0])
    sensor = next(entry for entry in whole["information_classes"] if entry["id"] == "sensor.ch4_lel")
    assert sensor["kind"] == "sensor"
    assert sensor["measure"]["alarm"]["above"] == 20
    assert "285  information_classes" in run().output


def test_lists_search_and_one_entry() -> None:
    assert len(answer("list", "scenarios")["scenarios"]) == 27
    assert "平安伊金霍洛" in run("list", "scenarios").output
    assert answer("search", "入室盗窃")["hits"][0]["id"] == "O04"
    assert "nothing matches" in run("search", "qqqzzz").output
    assert answer("show", "S05")["incident_classes"]["category"] == "public_safety"
    assert "definition:" in run("show", "S05").output
    assert "citybrain catalogue search" in run("show", "nothing", code=2).output


def test_a_city_s_own_folder_by_setting_and_by_option(own: Path) -> None:
    for found in (answer("show", "water", CITYBRAIN_CITY__CATALOGUE=str(own)), answer("show", "water", "--folder", str(own))):
        assert found["departments"]["zh"] == "水务局"
    assert answer("show", "water")["departments"]["zh"] == "水利局"


def test_check_says_what_is_wrong_and_leaves_with_1(own: Path) -> None:
    assert answer("check") == {"ok": True, "problems": []}
    assert run("check", str(own)).output == "ok\n"
    (own / "departments.yaml").write_text(WATER.replace("bureau", "person"), encoding="utf-8")
    told = answer("check", str(own), code=1)
    assert not told["ok"]
    assert any("water: kind: got 'person'" in problem for problem in told["problems"])


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    assert any(
        "wanted a folder with catalogue.yaml" in problem for problem in answer("check", str(tmp_path), code=1)["problems"]
    )


def test_diff_of_two_versions(own: Path) -> None:
    assert run("diff", "shipped", "shipped").output == "no difference\n"
    changed = answer("diff", "shipped", str(own))["changed"]
    assert {"list": "departments", "id": "water", "field": "zh", "old": "水利局", "new": "水务局"} in changed
    assert "~ departments water zh: '水利局' -> '水务局'" in run("diff", "shipped", str(own)).output
    assert "wanted a catalogue folder" in run("diff", "shipped", "nowhere", code=2).output


def test_coverage_of_a_file_by_mapping_and_by_table(tmp_path: Path) -> None:
    (tmp_path / "crimes.csv").write_text("offense,IUCR\nrobbery,0320\nrape,0281\nparade,9999\n", encoding="utf-8")
    found = answer("coverage", str(tmp_path / "crimes.csv"), "--mapping", "houston")
    assert (found["rows"], found["mapped"], found["unmapped"]) == (3, 2, [{"code": "parade", "rows": 1}])
    assert answer("coverage", str(tmp_path / "crimes.csv"), "--table", "iucr")["by_code"]["0320"]["class"] == "O03"
    assert "wanted either --mapping or --table" in run("coverage", str(tmp_path / "crimes.csv"), code=2).output
