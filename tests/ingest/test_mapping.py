"""Mapping files: the shipped ones hold, and a wrong one is told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.mapping import load_mapping, shipped_mappings
from schemas.errors import BadMapping
from schemas.person_fields import PERSON_FIELDS
from schemas.taxonomy import taxonomy

SHIPPED = ["beijing_air", "charlottesville", "chicago", "citizen_messages", "houston", "montgomery", "nab", "sf"]
GOOD = """
about: calls
kind: police
source: urn:test:calls
time_zone: Asia/Shanghai
at: {columns: [when], zone: Asia/Shanghai}
fields: {code: type, place: {columns: [area], empty: [UNK]}}
classes:
  exact: {theft: O07}
  patterns: [{match: "fire.*", to: S01}]
"""


def test_the_shipped_mappings_are_these() -> None:
    assert list(shipped_mappings()) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mapping_loads_and_its_classes_are_in_the_taxonomy(name: str) -> None:
    mapping = load_mapping(name)

    assert mapping.about
    assert {*mapping.classes.exact.values(), *(pattern.to for pattern in mapping.classes.patterns)} <= set(taxonomy().classes)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_mapping_reads_a_person_field(name: str) -> None:
    assert not load_mapping(name).needed_columns() & PERSON_FIELDS


def test_a_path_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "calls.yaml"
    path.write_text(GOOD, encoding="utf-8")

    mapping = load_mapping(path)

    assert mapping.fields["code"].columns == ("type",)
    assert mapping.needed_columns() == {"when", "type", "area"}


@pytest.mark.parametrize(
    ("was", "instead", "said"),
    [
        ("theft: O07", "theft: O77", "classes.exact.theft: got 'O77'"),
        ("theft: O07", "415: O13", "classes.exact.415"),
        ("theft: O07", "theft: O07, theft: O04", "keys ['theft'] stand twice"),
        ("kind: police", "kind: fire", "kind: got 'fire'"),
        ("code: type", "cod: type", "fields ['cod'] are none of a police payload"),
        ("code: type", "caller: type", "fields ['caller'] are none of a police payload"),
        ("time_zone: Asia/Shanghai", "time_zone: Peking", "time_zone: got 'Peking'"),
        ("zone: Asia/Shanghai}", "zone: Mars}", "at.zone: got 'Mars'"),
        ('"fire.*"', '"fire("', "wanted a regular expression"),
        ("about: calls", "about: calls\nspeed: 3", "speed: got 3; Extra inputs are not permitted"),
        ("about: calls", "about: [calls", "while parsing"),
        ("about: calls", "about: calls\nreadings: [{column: a, metric: b}]", "readings belong to kind sensor"),
        ("about: calls", "about: calls\ndifferences: {because: I say so}", "differences.because"),
        (
            "about: calls",
            'about: calls\nplaces: {by: lattice, county: "990000", banner: b, west: 2, east: 1, south: 0, north: 1, columns: 2, rows: 2}',
            "wanted west < east",
        ),
    ],
)
def test_a_wrong_mapping_names_file_field_got_and_wanted(tmp_path: Path, was: str, instead: str, said: str) -> None:
    path = tmp_path / "calls.yaml"
    assert was in GOOD
    path.write_text(GOOD.replace(was, instead), encoding="utf-8")

    with pytest.raises(BadMapping) as caught:
        load_mapping(path)

    assert "calls.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_a_mapping_that_is_not_there_lists_the_shipped_ones() -> None:
    with pytest.raises(BadMapping, match=r"wanted a YAML file or one of beijing_air, .*, sf"):
        load_mapping("huston")
