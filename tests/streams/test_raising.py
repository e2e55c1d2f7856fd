"""Alerts of findings, the cool-down, and devices that fall silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.alerts import encode_alert, read_alert
from streams.findings import Finding
from streams.raising import CoolDown, Past, Window, alert_of, level_of, past_of, silence_alert
from streams.silence import Silent, SilentGroup, grouped
from streams.tally import Subject

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window(NOON - HOUR, NOON, NOON + timedelta(minutes=10))
FINDING = Finding(
    5, Subject("grid", "150627006003004", "disputes", "D04"), 21.0, 0.142857, 3.5, 1e-19, 2e-15, (0.0, 1.0), (("150627006003005", 1.0, 0.5),)
)  # fmt: skip


def test_an_alert_carries_all_it_was_found_by() -> None:
    alert = alert_of(FINDING, "grid", WINDOW, "ears_c2", {"alpha": 0.001})

    assert read_alert(encode_alert(alert).value) == alert
    assert alert.time == WINDOW.at
    assert (alert.data.window_start, alert.data.window_end) == (WINDOW.start, WINDOW.end)
    assert alert.data.parameters == {"alpha": 0.001, "source": "grid", "window_hours": 1.0}
    assert (alert.data.observed, alert.data.expected, alert.data.level) == (21.0, 0.142857, 1)
    assert alert.data.neighbours[0].area == "150627006003005"


def test_the_same_finding_has_the_same_id_and_any_other_another() -> None:
    ids = {
        alert_of(FINDING, "grid", WINDOW, "ears_c2", {"alpha": 0.001}).id,
        alert_of(FINDING._replace(observed=22.0), "grid", WINDOW, "ears_c2", {"alpha": 0.001}).id,
        alert_of(FINDING, "police", WINDOW, "ears_c2", {"alpha": 0.001}).id,
        alert_of(FINDING, "grid", WINDOW._replace(end=NOON + HOUR), "ears_c2", {"alpha": 0.001}).id,
        alert_of(FINDING, "grid", WINDOW, "ears_c2", {"alpha": 0.002}).id,
    }

    assert len(ids) == 4, "what was observed is evidence, not identity"


@pytest.mark.parametrize(("observed", "level"), [(4.0, 4), (5.5, 3), (10.0, 2), (19.0, 1)])
def test_levels_rise_with_the_distance_from_the_bound(observed: float, level: int) -> None:
    assert level_of(observed, 1.0, 4.0) == level


def past(hours: float, area: str = "150627", incident_class: str = "S04", kind: str = "grid") -> Past:
    return Past(kind, area, "public_safety", incident_class, NOON + timedelta(hours=hours))


class TestCoolDown:
    def test_the_same_area_and_class_of_a_source_come_once_in_a_pause(self) -> None:
        cool_down = CoolDown(timedelta(hours=12), [past(0)])

        held = {hours for hours in (-1, 0, 1, 11, 12, 13) if cool_down.holds(past(hours))}
        assert held == {1, 11}, "an alert of the same window, or before, is no earlier one"

    def test_a_category_and_its_classes_cool_each_other_and_nothing_else(self) -> None:
        cool_down = CoolDown(timedelta(hours=12), [past(0)])
        others = [past(1, incident_class=""), past(1, incident_class="S01"), past(1, area="150627001"), past(1, kind="police")]

        assert [cool_down.holds(other) for other in others] == [True, False, False, False]

    def test_what_is_remembered_does_not_grow_for_ever(self) -> None:
        cool_down = CoolDown(timedelta(hours=12))
        for hours in range(1000):
            cool_down.add(past(hours))

        assert len(cool_down._past["grid", "150627", "public_safety"]) < 30


class TestSilence:
    def test_each_device_is_in_one_group_the_widest_that_has_enough(self) -> None:
        broken = [Silent(7, f"a{n:02}", f"15062700{1 + n % 2}001001") for n in range(8)]
        alone = [Silent(7, "b", "150627003001001"), Silent(9, "c", "150627003001001")]
        groups = grouped([*broken, *alone])

        assert [(group.hour, group.level, len(group.devices)) for group in groups] == [
            (7, "grid", 4), (7, "grid", 4), (7, "grid", 1), (9, "grid", 1),
        ]  # fmt: skip
        more = grouped([*broken, *alone, *(Silent(7, f"d{n}", "150627001009009") for n in range(3))])
        assert [(group.level, group.area, len(group.devices)) for group in more[:1]] == [("town", "150627001", 7)]
        whole = grouped([Silent(7, f"e{n}", f"1506270{n:02}001001") for n in range(20)])
        assert [(group.level, len(group.devices)) for group in whole] == [("banner", 20)]

    def test_its_alert_names_the_devices(self) -> None:
        alert = silence_alert(SilentGroup(3, "grid", "150627003001001", ("b", "c")), WINDOW)

        assert alert.data.parameters["devices"] == ["b", "c"]
        assert (alert.data.incident_class, alert.data.observed, alert.data.detector) == ("S15", 2.0, "device_silence")
        assert past_of(alert).kind == "sensor"
