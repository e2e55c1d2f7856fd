"""Open cases and scenarios, held against counts of their own from the events."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from schemas.catalogue.read import shipped
from tests.view.test_numbers import get
from tests.view.world import NOW, ZONE, World, bearer


def test_open_cases_are_those_without_an_end_and_the_most_urgent_come_first(api: httpx.Client, world: World) -> None:
    body = get(api, "cases", limit=500)
    ((stored,),) = world.rows(
        "SELECT uniqExact(case_id) FROM events WHERE case_id != '' AND case_id NOT IN "
        "(SELECT case_id FROM events WHERE stage IN ('resolved', 'closed'))"
    )
    due = [one["due_at"] for one in body["items"] if one["due_at"]]
    watermark = body["watermark"]

    assert body["open"] == stored > len(body["items"]) - 1
    assert due == sorted(due)
    assert min(500, body["overdue"]) == sum(at < watermark for at in due)


def test_the_next_step_is_due_as_the_timeline_says(api: httpx.Client) -> None:
    for one in get(api, "cases", limit=8)["items"]:
        timeline = get(api, f"cases/{one['case']}/timeline")
        step = next(step for step in timeline["steps"] if step["step"] == one["step"])
        assert (step["at"], step["due_at"]) == (None, one["due_at"])


def test_scenarios_count_the_incidents_of_their_classes_day_by_day(api: httpx.Client, world: World) -> None:
    body = get(api, "scenarios")
    days = [(NOW.astimezone(ZONE) - timedelta(days=number)).date().isoformat() for number in range(6, -1, -1)]

    assert body["days"] == days
    assert len(body["items"]) == len(shipped().scenarios) == 27
    for scenario, told in zip(shipped().scenarios, body["items"], strict=True):
        rows = world.rows(
            "SELECT toString(toDate(at, 'Asia/Shanghai')) AS day, count() FROM events WHERE stage IN ('', 'reported') "
            "AND kind != 'sensor' AND has({classes:Array(String)}, incident_class) GROUP BY day",
            {"classes": list(scenario.incident_classes)},
        )
        counts = dict(rows)
        assert told["days"] == [counts.get(day, 0) for day in days]
    assert max(one["level"] for one in body["items"]) == 3, "the world's open alerts are orange"


@pytest.mark.parametrize("path", ["cases", "scenarios"])
def test_both_are_for_duty_tokens(api: httpx.Client, path: str) -> None:
    assert api.get(f"/api/v1/{path}").status_code == 403
    assert api.get(f"/api/v1/{path}", headers=bearer("own-open")).status_code == 403


def test_a_day_without_end_is_the_last(api: httpx.Client) -> None:
    assert (
        datetime.fromisoformat(get(api, "scenarios")["watermark"]).astimezone(ZONE).date().isoformat()
        == get(api, "scenarios")["days"][-1]
    )
