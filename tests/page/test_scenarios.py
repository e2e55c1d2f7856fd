"""All forty scenarios of `view.md` are played by tests that say so."""

from __future__ import annotations

from tests.page.scenarios import SCENARIOS, played


def test_every_scenario_has_its_test() -> None:
    numbers = {one.number for one in played()}

    assert numbers == set(range(1, 41))
    assert len(SCENARIOS) == 40
