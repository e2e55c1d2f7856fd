"""Code tables: every code has a class, or a reason to have none, or is listed as unmapped. Nothing is guessed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ingest.code_coverage import coverage_of
from ingest.code_table import CodeTable, load_table, shipped_tables, table_of
from ingest.events_of import classifier
from ingest.mapping import load_mapping, shipped_mappings
from schemas.errors import BadMapping
from schemas.taxonomy import taxonomy

TABLE = """
about: calls of a station
columns: [type]
classes:
  exact: {BURG: O04, NOISE: O12}
  none: [{match: "test.*", why: a test of the line}]
"""


@pytest.fixture
def table(tmp_path: Path) -> CodeTable:
    (tmp_path / "t.yaml").write_text(TABLE, encoding="utf-8")
    return load_table(str(tmp_path / "t.yaml"))


def test_rows_are_mapped_listed_as_none_unmapped_or_without_code(table: CodeTable, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "calls.csv.gz", "wt", encoding="utf-8") as file:
        file.write("n,type\n1,BURG\n2,burg\n3,Test 7\n4,J/o\n5,J/o\n6,\n7,NOISE\n")
    found = coverage_of(table, [tmp_path / "calls.csv.gz"])
    told = found.to_dict()
    assert (told["rows"], told["mapped"], told["none"], told["unmapped_rows"], told["without_code"]) == (7, 3, 1, 2, 1)
    assert told["unmapped"] == [{"code": "J/o", "rows": 2}]
    assert told["by_code"]["Test 7"] == {"rows": 1, "class": None, "why": "a test of the line"}
    assert told["by_code"]["burg"] == {"rows": 1, "class": "O04", "why": None}
    assert any("UNMAPPED" in line and "J/o" in line for line in found.lines())


def test_several_files_are_counted_together(table: CodeTable, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("type\nBURG\n", encoding="utf-8")
    assert coverage_of(table, [tmp_path / "a.csv", tmp_path / "b.csv"]).to_dict()["by_code"]["BURG"]["rows"] == 2


def test_a_file_of_another_kind_is_told(table: CodeTable, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("kind\nBURG\n", encoding="utf-8")
    with pytest.raises(BadMapping, match=r"columns \['type'\] are missing; got \['kind'\]"):
        coverage_of(table, [tmp_path / "a.csv"])


def test_an_unknown_table_and_a_wrong_class_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match="no shipped one of that name; wanted one of citizen_departments"):
        load_table("nowhere")
    (tmp_path / "t.yaml").write_text(TABLE.replace("O04", "X04"), encoding="utf-8")
    with pytest.raises(BadMapping, match="no incident class"):
        load_table(str(tmp_path / "t.yaml"))


def test_a_mapping_without_codes_has_no_table() -> None:
    with pytest.raises(BadMapping, match="reads no code"):
        table_of(load_mapping("nab"), "nab")


def test_every_shipped_table_loads_and_names_known_classes() -> None:
    tables = shipped_tables()
    assert set(tables) == {"citizen_departments", "iucr", "open311", "sf_dispositions", "sf_radio"}
    for name, table in tables.items():
        used = {*table.classes.exact.values(), *(pattern.to for pattern in table.classes.patterns)}
        assert used <= set(taxonomy().classes), name


def test_no_table_says_both_that_a_code_has_a_class_and_that_it_has_none() -> None:
    """`exact` and `patterns` are tried first: an entry of `none` that they cover would never be read."""
    tables = shipped_tables() | {
        name: table_of(load_mapping(name), name) for name in shipped_mappings() if "code" in load_mapping(name).fields
    }
    for name, table in tables.items():
        class_of = classifier(table.classes)
        for entry in table.classes.none:
            plain = entry.match.split("|")[0]
            if plain.replace(" ", "").isalnum():
                assert class_of(plain) is None, (name, plain)


@pytest.mark.parametrize(
    ("iucr", "words"),
    [
        ("0110", "HOMICIDE: FIRST DEGREE MURDER"), ("031A", "ROBBERY: ARMED: HANDGUN"), ("0460", "BATTERY: SIMPLE"),
        ("0486", "BATTERY: DOMESTIC BATTERY SIMPLE"), ("0560", "ASSAULT: SIMPLE"), ("0580", "STALKING: SIMPLE"),
        ("0610", "BURGLARY: FORCIBLE ENTRY"), ("0820", "THEFT: $500 AND UNDER"), ("0843", "THEFT: ATTEMPT FINANCIAL IDENTITY THEFT"),
        ("0880", "THEFT: PURSE-SNATCHING"), ("0910", "MOTOR VEHICLE THEFT: AUTOMOBILE"), ("1020", "ARSON: BY FIRE"),
        ("1120", "DECEPTIVE PRACTICE: FORGERY"), ("1130", "DECEPTIVE PRACTICE: FRAUD OR CONFIDENCE GAME"),
        ("1210", "DECEPTIVE PRACTICE: THEFT OF LABOR/SERVICES"), ("1310", "CRIMINAL DAMAGE: TO PROPERTY"),
        ("1330", "CRIMINAL TRESPASS: TO LAND"), ("143A", "WEAPONS VIOLATION: UNLAWFUL POSS OF HANDGUN"), ("1811", "NARCOTICS: POSS"),
        ("2024", "NARCOTICS: POSS: HEROIN(WHITE)"), ("2820", "OTHER OFFENSE: TELEPHONE THREAT"), ("2850", "PUBLIC PEACE VIOLATION: BOMB THREAT"),
        ("3730", "INTERFERENCE WITH PUBLIC OFFICER: OBSTRUCTING JUSTICE"), ("5002", "OTHER OFFENSE: OTHER VEHICLE OFFENSE"),
    ],
)  # fmt: skip
def test_chicago_s_codes_and_its_words_have_the_same_class(iucr: str, words: str) -> None:
    assert classifier(load_table("iucr").classes)(iucr) == classifier(load_mapping("chicago").classes)(words)


def test_san_francisco_s_radio_codes_have_the_class_of_the_mapping() -> None:
    by_mapping = classifier(load_mapping("sf").classes)
    assert {code: by_mapping(code) for code in load_table("sf_radio").classes.exact} == load_table("sf_radio").classes.exact


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Pothole", "S07"), ("Potholes and Street Issues", "S07"), ("Sidewalk and Curb Issues", "S07"), ("Curb or curb ramp defect", "S07"),
        ("Streetlight out", "S07"), ("Traffic Signal Out", "S07"), ("Graffiti Removal", "O08"), ("Noise Complaint", "O12"),
        ("Water Leak", "S06"), ("Sewer Issues", "S06"), ("Street Flooding", "S10"), ("No heat/hot water", "S06"),
        ("Street vendors", "O14"), ("Illegal Dumping", None), ("Abandoned Vehicle", None), ("Homeless Encampment", None), ("Other", None),
    ],
)  # fmt: skip
def test_open311_services_by_their_common_names(name: str, wanted: str | None) -> None:
    assert classifier(load_table("open311").classes)(name) == wanted


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("城乡建设 / 安全生产 / 安全隐患", "S05"), ("劳动和社会保障 / 劳动关系 / 农民工权益", "D04"), ("卫生计生 / 医患纠纷 / 医疗事故争议", "D10"),
        ("环境保护 / 环境污染 / 水污染", "D12"), ("政法 / 社会治安 / 集会游行示威", None), ("党务政务 / 民族宗教 / 宗教事务", None),
        ("政法 / 社会治安 / 邪教组织", None), ("卫生计生 / 人口计生 / 违法生育", None),
    ],
)  # fmt: skip
def test_labels_of_residents_messages(label: str, wanted: str | None) -> None:
    """Belief, assembly and people are never a class, whatever a source files them under."""
    assert classifier(load_table("citizen_departments").classes)(label) == wanted
