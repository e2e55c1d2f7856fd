"""Grids made for a mapping."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import shapely.geometry

from ingest.mapping import Mapping
from ingest.places import Area, number, places_for
from schemas.errors import BadMapping
from schemas.places import Places

HEAD: dict[str, Any] = {
    "about": "calls", "kind": "police", "source": "urn:test:calls", "time_zone": "UTC", "at": {"columns": ["when"], "zone": "UTC"},
}  # fmt: skip
SQUARE = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]
FARTHER = [[[5.0, 5.0], [6.0, 5.0], [6.0, 6.0], [5.0, 6.0], [5.0, 5.0]]]


def made(extra: dict[str, Any], folder: Path, text: str = "when,area\n") -> Places:
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    places = places_for(Mapping.model_validate(HEAD | extra), [folder / "rows.csv"])
    assert places is not None
    return places


def test_one_grid_for_each_name_with_the_areas_found_in_it(tmp_path: Path) -> None:
    extra = {
        "fields": {"place": {"columns": ["area"], "empty": ["UNK"]}},
        "places": {"by": "place", "county": "990001", "banner": "Test", "town": "^[0-9]+", "community": "^[0-9]+[A-Z]"},
    }

    places = made(extra, tmp_path, "when,area\n1,2B20\n2,1A10\n3,2B20\n4,UNK\n5,2A10\n6,\n")

    assert [(grid.code, grid.name, grid.town, grid.community) for grid in places.grids] == [
        ("990001001001001", "1A10", "1", "1A"),
        ("990001002001001", "2A10", "2", "2A"),
        ("990001002002001", "2B20", "2", "2B"),
    ]
    assert {(grid.banner, grid.geometry) for grid in places.grids} == {("Test", None)}


def test_polygons_beside_the_data_and_parts_of_one_area_together(tmp_path: Path) -> None:
    features = [
        {"properties": {"beat": name, "district": "7"}, "geometry": {"type": "Polygon", "coordinates": ring}}
        for name, ring in (("0712", SQUARE), ("0711", SQUARE), ("0712", FARTHER))
    ]
    (tmp_path / "beats.geojson.gz").write_bytes(gzip.compress(json.dumps({"features": features}).encode()))
    extra = {
        "places": {
            "by": "geojson",
            "county": "990002",
            "banner": "B",
            "file": "beats.geojson.gz",
            "name": "beat",
            "town": "district",
        }
    }

    places = made(extra, tmp_path)

    assert [(grid.code, grid.name, grid.town) for grid in places.grids] == [
        ("990002001001001", "0711", "7"),
        ("990002001001002", "0712", "7"),
    ]
    assert places.grids[1].geometry == {"type": "MultiPolygon", "coordinates": [SQUARE, FARTHER]}


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("{}", "features"), ('{"features": [{"properties": {}}]}', "'beat'")]
)
def test_polygons_that_are_not_there_are_missed_by_name(tmp_path: Path, content: str | None, said: str) -> None:
    if content:
        (tmp_path / "beats.geojson").write_text(content, encoding="utf-8")
    extra = {"places": {"by": "geojson", "county": "990002", "banner": "B", "file": "beats.geojson", "name": "beat"}}

    with pytest.raises(BadMapping, match=said):
        made(extra, tmp_path)


def test_a_lattice_covers_its_box_without_overlap(tmp_path: Path) -> None:
    box = {"west": -75.7, "east": -74.9, "south": 39.9, "north": 40.5}
    extra = {"places": {"by": "lattice", "county": "990003", "banner": "B", **box, "columns": 5, "rows": 3}}

    places = made(extra, tmp_path)
    shapes = [shapely.geometry.shape(grid.geometry) for grid in places.grids]

    assert len(shapes) == 15
    assert shapely.union_all(shapes).equals(shapely.box(-75.7, 39.9, -74.9, 40.5))
    assert sum(shape.area for shape in shapes) == pytest.approx(0.8 * 0.6)
    assert places.grids[0].name == "r000c000"
    assert shapes[0].bounds[:2] == (-75.7, 39.9)


def test_a_mapping_without_places_has_none(tmp_path: Path) -> None:
    assert places_for(Mapping.model_validate(HEAD), [tmp_path / "rows.csv"]) is None


def test_places_by_name_need_a_place(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"fields\.place is not mapped"):
        made({"places": {"by": "place", "county": "990001", "banner": "T"}}, tmp_path)


def test_more_than_999_grids_go_on_in_the_next_community() -> None:
    places = number([Area(f"street {i:04}") for i in range(2_000)], "990001", "T")

    assert len({grid.code for grid in places.grids}) == 2_000
    assert places.grids[998].code == "990001001001999"
    assert places.grids[999].code == "990001001002001"
    assert places.grids[-1].code == "990001001003002"


def test_too_many_areas_are_refused() -> None:
    with pytest.raises(BadMapping, match="more areas than"):
        number([Area(f"a{i:04}", town=f"t{i:04}") for i in range(1_000)], "990001", "T")
