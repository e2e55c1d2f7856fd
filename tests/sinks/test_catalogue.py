"""Scenarios and classes of information in the store: what is configured now, and counts by scenario equal to a recount."""

from __future__ import annotations

from collections import Counter

import pytest

from schemas.catalogue.models import Catalogue
from schemas.catalogue.read import shipped
from schemas.places import Places
from sinks.migrate import fill_lookups, migrate
from sinks.store import Store

CATALOGUE = shipped()


def changed(**scenario: object) -> Catalogue:
    """The shipped catalogue with anti-fraud changed and mediation taken out."""
    scenarios = [
        entry.model_copy(update=scenario) if entry.id == "anti_fraud" else entry
        for entry in CATALOGUE.scenarios
        if entry.id != "mediation"
    ]
    return CATALOGUE.model_copy(update={"scenarios": tuple(scenarios)})


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with counts of one hour: a number of its own for every class and grid."""
    migrate(store, "Asia/Shanghai")
    fill_lookups(store, Places(()))
    grids = ("150627001001001", "150627002001001", "")
    rows = ", ".join(
        f"('2026-11-20 00:00:00', '{grid}', '{entry.code}', 'police', {place * 100 + number + 1}, {number + 1})"
        for place, grid in enumerate(grids)
        for number, entry in enumerate(CATALOGUE.incident_classes)
    )
    store.command(f"INSERT INTO counts_minute (minute, grid, incident_class, kind, events, incidents) VALUES {rows}")
    return store


def test_what_is_configured_is_there_in_the_order_of_the_file(filled: Store) -> None:
    rows = filled.query("SELECT scenario, zh, incident_classes FROM v_scenarios ORDER BY position")
    assert [(name, zh, tuple(codes)) for name, zh, codes in rows] == [
        (entry.id, entry.zh, entry.incident_classes) for entry in CATALOGUE.scenarios
    ]
    sensors = filled.query("SELECT metric, unit, alarm_above, alarm_below FROM v_information_classes WHERE kind = 'sensor'")
    wanted = {}
    for entry in CATALOGUE.information_classes:
        if measure := entry.measure:
            alarm = measure.alarm
            wanted[measure.metric] = (measure.unit, alarm.above if alarm else None, alarm.below if alarm else None)
    assert {metric: tuple(rest) for metric, *rest in sensors} == wanted
    assert filled.query("SELECT count() FROM v_information_classes") == [(285,)]


def test_the_lists_written_last_count_and_may_come_back(filled: Store) -> None:
    """A to B to A: what is gone leaves no row behind, and what comes back is no repeat."""
    fill_lookups(filled, Places(()), catalogue=changed(zh="本旗反诈"))
    assert filled.query("SELECT zh FROM v_scenarios WHERE scenario IN ('anti_fraud', 'mediation')") == [("本旗反诈",)]
    fill_lookups(filled, Places(()))
    assert filled.query("SELECT count() FROM v_scenarios") == [(27,)]
    assert filled.query("SELECT zh FROM v_scenarios WHERE scenario = 'anti_fraud'") == [("反电信网络诈骗",)]


def test_a_city_s_own_words_for_classes_are_shown(filled: Store) -> None:
    own = [
        entry.model_copy(update={"zh": "烟火警情"}) if entry.code == "S01" else entry for entry in CATALOGUE.incident_classes
    ]
    fill_lookups(filled, Places(()), catalogue=CATALOGUE.model_copy(update={"incident_classes": tuple(own)}))
    assert filled.query("SELECT zh FROM classes FINAL WHERE incident_class = 'S01'") == [("烟火警情",)]
    fill_lookups(filled, Places(()))
    assert filled.query("SELECT zh FROM classes FINAL WHERE incident_class = 'S01'") == [("火灾、火警",)]


@pytest.mark.parametrize("areas", [(), ("150627001",), ("150627001", "150627002001")])
def test_counts_by_scenario_equal_a_recount(filled: Store, areas: tuple[str, ...]) -> None:
    """An incident counts in every scenario that selects its class, in the areas the scenario looks at."""
    catalogue = changed(areas=areas)
    fill_lookups(filled, Places(()), catalogue=catalogue)
    found = Counter(
        {
            (scenario, grid): int(incidents)
            for scenario, grid, incidents in filled.query(
                "SELECT scenario, grid, sum(incidents) FROM v_scenarios_hour GROUP BY scenario, grid"
            )
        }
    )
    numbers = {entry.code: number + 1 for number, entry in enumerate(CATALOGUE.incident_classes)}
    wanted: Counter[tuple[str, str]] = Counter()
    for scenario in catalogue.scenarios:
        for grid in ("150627001001001", "150627002001001", ""):
            if not scenario.areas or any(grid.startswith(area) for area in scenario.areas):
                wanted[scenario.id, grid] += sum(numbers[code] for code in scenario.incident_classes)
    assert found == +wanted
