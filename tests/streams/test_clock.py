"""The clock: event time alone, each kind on its own; which windows are complete then."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.clock import HOUR_MS, Partition, clocks, day_start, days, hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


def sensor(newest: int | None, covered: int, end: int) -> Partition:
    return Partition("sensor", newest, covered, end)


def test_a_partition_that_lags_holds_its_kind_and_no_other() -> None:
    parts = [sensor(500, 10, 10), sensor(200, 3, 9), Partition("police", 900, 4, 4)]

    assert clocks(parts, {}) == {"sensor": 200, "police": 900}


def test_a_partition_that_is_stored_to_its_end_holds_nothing_up() -> None:
    assert clocks([sensor(500, 10, 10), sensor(200, 3, 3)], {}) == {"sensor": 500}


def test_a_partition_of_which_nothing_is_stored_yet_is_waited_for() -> None:
    assert clocks([sensor(500, 10, 10), sensor(None, 0, 1)], {}) == {}
    assert clocks([sensor(500, 10, 10), sensor(None, 1, 1)], {}) == {"sensor": 500}


def test_a_clock_never_goes_back() -> None:
    assert clocks([sensor(500, 10, 20)], {"sensor": 700}) == {"sensor": 700}


@settings(deadline=None)
@given(st.lists(st.integers(1_700_000_000_000, 1_700_000_000_000 + 400 * HOUR_MS), min_size=2, max_size=6).map(sorted))
def test_steps_of_any_length_cover_each_hour_and_day_once(moments: list[int]) -> None:
    for zone in (SHANGHAI, NEW_YORK):
        whole = (hours(moments[0], moments[-1]), days(moments[0], moments[-1], zone))
        steps = list(pairwise(moments))
        in_hours = [hour for one, other in steps for hour in range(*hours(one, other))]
        in_days = [day for one, other in steps for day in range(*days(one, other, zone))]
        assert (in_hours, in_days) == (list(range(*whole[0])), list(range(*whole[1])))


def test_a_window_is_complete_when_its_end_is_reached() -> None:
    midnight = int(day_start(20_000, SHANGHAI).timestamp() * 1000)

    assert hours(midnight - 1, midnight) == (midnight // HOUR_MS - 1, midnight // HOUR_MS)
    assert days(midnight - 1, midnight, SHANGHAI) == (19_999, 20_000)
    assert days(midnight, midnight + 23 * HOUR_MS, SHANGHAI) == (20_000, 20_000)
