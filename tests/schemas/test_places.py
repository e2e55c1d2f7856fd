"""Places: 15-digit codes whose prefixes are the areas above, and GeoJSON there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.city import City
from schemas.places import PREFIX, Grid, Places

SQUARE: dict[str, Any] = {"type": "Polygon", "coordinates": [[[109, 39], [110, 39], [110, 40], [109, 40], [109, 39]]]}


def grid(code: str, name: str = "g", **names: str) -> Grid:
    return Grid(code, name, names.get("community", ""), names.get("town", ""), names.get("banner", ""), SQUARE)


def test_grids_stand_in_code_order() -> None:
    places = Places.of([grid("150602001001002"), grid("150602001001001")])
    assert [one.code for one in places.grids] == ["150602001001001", "150602001001002"]


@pytest.mark.parametrize(
    "code", ["", "15060200100100", "1506020010010011", "15060200100100A", "１５０６０２００１００１００１", "150602001001001\n"]
)
def test_a_code_that_is_no_grid_code_is_named(code: str) -> None:
    with pytest.raises(ValueError, match="wanted 15 digits"):
        Places.of([grid(code)])


def test_a_code_stands_once() -> None:
    with pytest.raises(ValueError, match="stands twice: 'a' and 'b'"):
        Places.of([grid("150602001001001", "a"), grid("150602001001001", "b")])


def test_geojson_there_and_back(city: City) -> None:
    """The whole simulated city survives a file."""
    assert Places.from_geojson(json.loads(json.dumps(city.places.to_geojson()))).to_geojson() == json.loads(
        json.dumps(city.places.to_geojson())
    )
    assert Places.from_geojson(city.places.to_geojson()).grids[0] == city.places.grids[0]


def test_only_code_and_name_are_needed() -> None:
    feature = {"type": "Feature", "geometry": None, "properties": {"code": 150602001001001, "name": "g"}}
    places = Places.from_geojson({"type": "FeatureCollection", "features": [feature]})
    assert places.grids == (Grid("150602001001001", "g", "", "", "", None),)


@pytest.mark.parametrize("document", [{}, {"type": "Feature"}, {"type": "Polygon", "coordinates": []}])
def test_what_is_no_collection_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted a GeoJSON FeatureCollection"):
        Places.from_geojson(document)


def test_areas_are_the_prefixes_each_once_banner_first() -> None:
    places = Places.of([
        grid("150602001001001", "g1", community="c1", town="t1", banner="b1"),
        grid("150602001001002", "g2", community="c1", town="t1", banner="b1"),
        grid("150602002001001", "g3", community="c2", town="t2", banner="b1"),
        grid("150603001001001", "g4", community="c3", town="t3", banner="b2"),
    ])  # fmt: skip
    assert places.areas() == [
        ("banner", "150602", "b1"), ("banner", "150603", "b2"),
        ("town", "150602001", "t1"), ("town", "150602002", "t2"), ("town", "150603001", "t3"),
        ("community", "150602001001", "c1"), ("community", "150602002001", "c2"), ("community", "150603001001", "c3"),
        ("grid", "150602001001001", "g1"), ("grid", "150602001001002", "g2"),
        ("grid", "150602002001001", "g3"), ("grid", "150603001001001", "g4"),
    ]  # fmt: skip


def test_every_level_is_a_longer_prefix() -> None:
    assert list(PREFIX.values()) == sorted(PREFIX.values()) == [6, 9, 12, 15]
    assert list(PREFIX) == ["banner", "town", "community", "grid"]
