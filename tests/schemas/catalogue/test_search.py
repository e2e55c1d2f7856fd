"""What people type is found, the nearest first."""

from __future__ import annotations

import pytest

from schemas.catalogue.read import shipped
from schemas.catalogue.search import search


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("S04", "S04"), ("s04", "S04"), ("入室盗窃", "O04"), ("Burglary", "O04"), ("平安伊金霍洛", "safe_ejin_horo"), ("多多评", "review_and_handle"),
        ("1+8", "hidden_danger_1_8"), ("sensor.pm25", "sensor.pm25"), ("pm25", "sensor.pm25"), ("PM2.5", "sensor.pm25"), ("电梯困人", "police.stuck_in_lift"),
        ("井盖缺失", "grid.manhole_missing"), ("pothole", "grid.pothole"), ("井盖", "S07"), ("cyber", "cyber"), ("mediation", "mediation"),
        ("公安局", "police"), ("反电信网络诈骗", "anti_fraud"), ("burglry", "O04"), ("unpaid wages", "D04"), ("信访代办", "petition_agent"),
    ],
)  # fmt: skip
def test_the_first_hit(query: str, first: str) -> None:
    hits = search(shipped(), query)
    assert hits
    assert hits[0].id == first, hits[:5]


def test_names_stand_before_texts() -> None:
    hits = search(shipped(), "噪声", limit=100)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert {"sensor.noise_db", "police.noise", "grid.night_works"} <= {hit.id for hit in hits if hit.where == "name"}
    assert any(hit.where == "text" for hit in hits)


def test_several_words_have_all_to_be_found() -> None:
    assert {hit.id for hit in search(shipped(), "theft vehicle")} >= {"O05", "O06", "police.theft_from_vehicle"}
    assert "police.pickpocketing" not in {hit.id for hit in search(shipped(), "theft vehicle")}


@pytest.mark.parametrize("query", ["", "   ", "zzzzqqq", "量子引力"])
def test_nothing_is_found_where_nothing_is(query: str) -> None:
    assert search(shipped(), query) == []


def test_at_most_as_many_as_asked_for() -> None:
    assert len(search(shipped(), "a", limit=7)) == 7
