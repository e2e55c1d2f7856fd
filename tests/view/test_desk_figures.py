"""Open cases and scenarios, held against counts of their own from the events."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from ingest.outgoing import Outgoing
from schemas.catalogue.read import shipped
from tests.view.test_numbers import get
from tests.view.world import COMMUNITY, NOW, ZONE, World, bearer, incident
from view.today import LATE_SECONDS


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


MIDNIGHT = datetime(2026, 11, 21, tzinfo=ZONE)
AREA = f"{COMMUNITY}001"


def on_the_day(name: str, at: datetime, **data: str) -> Outgoing:
    return incident(f"late-{name}", AREA, at, **data)


def recount(world: World, late: timedelta, where: str = "1") -> tuple[int, int]:
    """Straight from the events: all of the day and the late ones among them, each id once."""
    (row,) = world.rows(
        "SELECT uniqExact(source, id), uniqExactIf((source, id), dateDiff('millisecond', at, received_at) > {late:Int64}) FROM events "
        f"WHERE toDate(at, 'Asia/Shanghai') = '2026-11-21' AND stage IN ('', 'reported') AND {where}",
        {"late": int(late.total_seconds() * 1000)},
    )
    return int(row[0]), int(row[1])


def test_today_counts_late_incidents_and_says_how_many(api: httpx.Client, world: World) -> None:
    """What came ten minutes after it happened is in time, a second later it is late; yesterday's is neither, nor is a later step."""
    before = get(api, "today", area=AREA, cat="disputes")
    ten, at = timedelta(minutes=10), NOW - timedelta(hours=1)
    world.write("police", [on_the_day("just-in-time", at), on_the_day("yesterday", MIDNIGHT - timedelta(seconds=1))], delay=ten)
    late = [
        on_the_day("late", at),
        on_the_day("first", MIDNIGHT),
        on_the_day("step", at, stage="accepted"),
        on_the_day("fire", at, incident_class="O04"),
    ]
    world.write("police", late, delay=ten + timedelta(seconds=1))
    world.write("police", late, delay=timedelta(hours=5))
    world.now += timedelta(seconds=LATE_SECONDS)
    after = get(api, "today", area=AREA, cat="disputes")

    assert (after["day"], after["late_after_minutes"]) == ("2026-11-21", 10)
    assert after["incidents"] == before["incidents"] + 3
    assert after["late"] == before["late"] + 2
    for area, cat, where in (
        (None, None, "1"),
        (None, "public_order", "startsWith(incident_class, 'O')"),
        (AREA, "D01", f"grid = '{AREA}' AND incident_class = 'D01'"),
    ):
        body = get(api, "today", **{name: value for name, value in (("area", area), ("cat", cat)) if value})
        assert (body["incidents"], body["late"]) == recount(world, ten, where)
    with world.client(late_after=timedelta(hours=4)) as patient:
        assert get(patient, "today")["late"] == recount(world, timedelta(hours=4))[1] < get(api, "today")["late"]


def test_today_of_a_token_is_of_its_scope(api: httpx.Client, world: World) -> None:
    fire = ", ".join(f"'{entry.code}'" for entry in shipped().incident_classes if entry.department == "fire")
    scopes = {"own-duty": f"startsWith(grid, '{COMMUNITY}')", "fire-duty": f"incident_class IN ({fire})", "city-duty": "1"}
    told = {name: get(api, "today", name) for name in scopes}

    for name, where in scopes.items():
        assert (told[name]["incidents"], told[name]["late"]) == recount(world, timedelta(minutes=10), where)
    assert told["own-duty"]["incidents"] < told["city-duty"]["incidents"]
    assert api.get("/api/v1/today?area=150627004", headers=bearer("own-duty")).status_code == 404


def test_of_a_day_without_a_word_nothing_is_known(world: World) -> None:
    with world.client(now=lambda: NOW + timedelta(days=40)) as client:
        body = get(client, "today")
    assert (body["day"], body["incidents"], body["late"]) == ("2026-12-31", None, None)


@pytest.mark.parametrize("path", ["cases", "scenarios", "today"])
def test_they_are_for_duty_tokens(api: httpx.Client, path: str) -> None:
    assert api.get(f"/api/v1/{path}").status_code == 403
    assert api.get(f"/api/v1/{path}", headers=bearer("own-open")).status_code == 403


def test_a_day_without_end_is_the_last(api: httpx.Client) -> None:
    assert (
        datetime.fromisoformat(get(api, "scenarios")["watermark"]).astimezone(ZONE).date().isoformat()
        == get(api, "scenarios")["days"][-1]
    )
