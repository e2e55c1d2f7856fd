"""Rows to events: every kind of field, and every row accounted for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.coordinates import wgs84_to_gcj02
from ingest.events_of import Counts, check_file, iter_events
from ingest.mapping import Mapping
from ingest.outgoing import Outgoing, encode
from schemas.errors import BadMapping
from schemas.events import EVENT_MODELS

BASE: dict[str, Any] = {
    "about": "calls",
    "kind": "police",
    "source": "urn:test:calls",
    "time_zone": "America/New_York",
    "at": {"columns": ["when"], "zone": "America/New_York"},
}


def mapped(mapping: dict[str, Any], text: str, folder: Path) -> tuple[list[Outgoing], Counts]:
    """Events of a CSV file; each is held against the contract."""
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    counts = Counts()
    built = Mapping.model_validate(BASE | mapping)
    return list(iter_events(built, folder / "rows.csv", counts)), counts


def test_an_event_is_what_the_mapping_says(tmp_path: Path) -> None:
    mapping = {
        "id": "row",
        "position": {"lon": "x", "lat": "y"},
        "fields": {
            "code": {"columns": ["type", "more"], "join": ": "},
            "place": {"columns": ["area"], "empty": ["UNK"]},
            "severity": "level",
        },
        "constants": {"department": "police", "stage": "reported"},
        "classes": {"exact": {"Theft:  Bike": "O05"}, "patterns": [{"match": "theft: .*", "to": "O07"}]},
    }
    text = "when,type,more,area,x,y,level\n2024-01-05T10:00:00,THEFT,bike,West,-77.1,38.2,3\n2024-01-05T11:00:00,Theft,purse,UNK,,,\n"

    (first, second), _ = mapped(mapping, text, tmp_path)

    assert first == Outgoing(
        "police", "urn:test:calls", "rows.csv#1", datetime(2024, 1, 5, 15, tzinfo=UTC),
        {
            "department": "police", "stage": "reported", "code": "THEFT: bike", "place": "West", "severity": 3,
            "incident_class": "O05", "position": {"lon": -77.1, "lat": 38.2},
        },
    )  # fmt: skip
    assert second.id == "rows.csv#2"
    assert second.data == {"department": "police", "stage": "reported", "code": "Theft: purse", "incident_class": "O07"}
    for event in (first, second):
        EVENT_MODELS["police"].model_validate_json(encode(event).value)


def test_equal_rows_are_events_of_their_own(tmp_path: Path) -> None:
    """The id is file and row, never a hash of the content."""
    events, _ = mapped({}, "when\n2024-01-05T10:00:00\n2024-01-05T10:00:00\n", tmp_path)

    assert [event.id for event in events] == ["rows.csv#1", "rows.csv#2"]


def test_the_sources_own_id_is_taken(tmp_path: Path) -> None:
    events, counts = mapped({"id": "number"}, "when,number\n2024-01-05T10:00:00,A-7\n2024-01-05T10:00:00,\n", tmp_path)

    assert [event.id for event in events] == ["A-7"]
    assert counts.left_out == {"no_id": 1}


def test_codes_the_table_does_not_know_go_on_without_a_class_and_are_counted(tmp_path: Path) -> None:
    mapping = {"fields": {"code": "type"}, "classes": {"exact": {"fire": "S01"}}}

    events, counts = mapped(mapping, "when,type\n2024-01-05,fire\n2024-01-05,fires\n2024-01-05,fires\n", tmp_path)

    assert [event.data.get("incident_class") for event in events] == ["S01", None, None]
    assert counts.unmapped == {"fires": 2}


@pytest.mark.parametrize(
    ("local", "utc", "altered"),
    [
        ("2024-07-01 12:00:00", "2024-07-01T16:00:00", {}),
        ("2024-03-10 02:30:00", "2024-03-10T07:30:00", {"time_in_dst_gap": 1}),  # 02:30 never was; counted as 03:30 summer time
        ("2024-11-03 01:30:00", "2024-11-03T05:30:00", {"time_twice_in_dst": 1}),  # the first of the two
        ("2024-11-03 02:30:00", "2024-11-03T07:30:00", {}),
    ],
)
def test_local_times_around_the_clock_change(tmp_path: Path, local: str, utc: str, altered: dict[str, int]) -> None:
    (event,), counts = mapped({}, f"when\n{local}\n", tmp_path)

    assert event.at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert counts.altered == altered


@pytest.mark.parametrize(
    ("how", "cell"),
    [
        ("iso", "2024-01-05T10:00:00-05:00"), ("%d.%m.%Y %H:%M", "05.01.2024 10:00"), ("epoch_s", "1704466800"),
        ("epoch_ms", "1704466800000"),
    ],
)  # fmt: skip
def test_time_formats(tmp_path: Path, how: str, cell: str) -> None:
    at = {"columns": ["when"], "format": how, "zone": "America/New_York"}

    (event,), _ = mapped({"at": at}, f"when\n{cell}\n", tmp_path)

    assert event.at == datetime(2024, 1, 5, 15, tzinfo=UTC)


def test_date_and_time_in_two_columns(tmp_path: Path) -> None:
    at = {"columns": ["day", "hour"], "format": "%Y-%m-%d %H", "zone": "UTC"}

    (event,), _ = mapped({"at": at}, "day,hour\n2024-01-05,7\n", tmp_path)

    assert event.at == datetime(2024, 1, 5, 7, tzinfo=UTC)


def test_rows_that_cannot_become_events_are_counted_by_reason(tmp_path: Path) -> None:
    events, counts = mapped(
        {"fields": {"code": "type"}}, "when,type\nyesterday,a\n2024-01-05,b,c\n,d\n2024-01-06,e\n", tmp_path
    )

    assert [event.data["code"] for event in events] == ["e"]
    assert counts.left_out == {"time_not_readable": 2, "row_of_other_width": 1}


def test_a_time_without_offset_and_without_a_zone_is_not_guessed(tmp_path: Path) -> None:
    events, counts = mapped({"at": {"columns": ["when"]}}, "when\n2024-01-05 10:00\n2024-01-05 10:00Z\n", tmp_path)

    assert len(events) == 1
    assert counts.left_out == {"time_not_readable": 1}


def test_gcj02_is_converted_at_the_edge(tmp_path: Path) -> None:
    lon, lat = wgs84_to_gcj02(109.8, 39.6)
    mapping = {"position": {"lon": "x", "lat": "y", "system": "gcj02"}}

    (event,), _ = mapped(mapping, f"when,x,y\n2024-01-05,{float(lon)},{float(lat)}\n", tmp_path)

    assert (event.data["position"]["lon"], event.data["position"]["lat"]) == pytest.approx((109.8, 39.6), abs=1e-6)


@pytest.mark.parametrize("cell", ["north", "1_0", "inf", "nan"])
def test_a_coordinate_that_is_no_number_goes_on_for_the_worker_to_reject(tmp_path: Path, cell: str) -> None:
    (event,), _ = mapped({"position": {"lon": "x", "lat": "y"}}, f"when,x,y\n2024-01-05,{cell},38\n", tmp_path)

    assert event.data["position"] == {"lon": cell, "lat": 38.0}


def test_readings_leave_gaps_out_and_send_faults_on(tmp_path: Path) -> None:
    """An empty cell is a gap; a blank or a word is a fault the worker has to see."""
    mapping = {
        "kind": "sensor",
        "fields": {"device": "station"},
        "readings": [{"column": "PM2.5", "metric": "pm25", "unit": "ug/m3"}, {"column": "T", "metric": "temperature_c"}],
    }
    text = "when,station,PM2.5,T\n2024-01-05,A,12.5,-3\n2024-01-05,A,,4\n2024-01-05,A, ,4\n2024-01-05,A,n/a,\n"

    events, _ = mapped(mapping, text, tmp_path)

    assert [event.data["readings"] for event in events] == [
        [{"metric": "pm25", "value": 12.5, "unit": "ug/m3"}, {"metric": "temperature_c", "value": -3.0}],
        [{"metric": "temperature_c", "value": 4.0}],
        [{"metric": "pm25", "value": " ", "unit": "ug/m3"}, {"metric": "temperature_c", "value": 4.0}],
        [{"metric": "pm25", "value": "n/a", "unit": "ug/m3"}],
    ]


def test_patterns_find_a_place_in_a_text_in_their_order(tmp_path: Path) -> None:
    place = {"columns": ["title", "body"], "join": " ", "patterns": ["[A-Z][0-9]+区", "([A-Z])市"]}

    events, _ = mapped(
        {"fields": {"place": place}}, "when,title,body\n2024-01-05,A市,B3区\n2024-01-05,A市,\n2024-01-05,x,\n", tmp_path
    )

    assert [event.data.get("place") for event in events] == ["B3区", "A", None]


def test_a_long_text_is_cut_and_counted(tmp_path: Path) -> None:
    (event,), counts = mapped({"fields": {"text": "body"}}, f"when,body\n2024-01-05,{'噪' * 4001}\n", tmp_path)

    assert event.data["text"] == "噪" * 4000
    assert counts.altered == Counter(text_cut=1)


def test_a_file_that_does_not_fit_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("time,kind\n1,2\n", encoding="utf-8")

    with pytest.raises(BadMapping, match=r"rows\.csv: columns \['when'\] are missing; got \['kind', 'time'\]"):
        check_file(Mapping.model_validate(BASE), path)


def test_an_optional_column_may_be_missing(tmp_path: Path) -> None:
    fields = {"department": {"columns": ["label"], "optional": True}}

    (event,), _ = mapped({"fields": fields}, "when\n2024-01-05\n", tmp_path)

    assert event.data == {}
