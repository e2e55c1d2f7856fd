"""The table of a zone's clock says what the zone itself says, at every instant it covers."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from view.clock_changes import FIRST, LAST, clock_changes

# Without summer time; with it; of half an hour; with a clock put forward for good; twice a year around Ramadan.
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Pyongyang", "Africa/Casablanca")
TABLES = {name: clock_changes(ZoneInfo(name)) for name in ZONES}


def told(name: str, at: datetime) -> timedelta:
    table = TABLES[name]
    return timedelta(seconds=table[max(0, bisect_right([since for since, _ in table], at.timestamp()) - 1)][1])


@pytest.mark.parametrize("name", ZONES)
@settings(derandomize=True, deadline=None, max_examples=300)
@given(seconds=st.integers(0, int((LAST - FIRST).total_seconds()) - 1))
def test_at_any_instant_it_is_what_the_zone_says(name: str, seconds: int) -> None:
    at = FIRST + timedelta(seconds=seconds)
    assert told(name, at) == at.astimezone(ZoneInfo(name)).utcoffset()


@pytest.mark.parametrize("name", ZONES)
def test_each_change_is_told_to_the_second(name: str) -> None:
    for (since, seconds), (_, before) in zip(TABLES[name][1:], TABLES[name], strict=False):
        at = datetime.fromtimestamp(since, UTC)
        assert at.astimezone(ZoneInfo(name)).utcoffset() == timedelta(seconds=seconds)
        assert (at - timedelta(seconds=1)).astimezone(ZoneInfo(name)).utcoffset() == timedelta(seconds=before)


def test_a_zone_without_summer_time_has_one_entry() -> None:
    assert TABLES["Asia/Shanghai"] == [(int(FIRST.timestamp()), 8 * 3600)]
    assert len(TABLES["Europe/Berlin"]) == 1 + 2 * 40
