"""Every number an answer gives is the one ClickHouse counts from the facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.view.world import COMMUNITY, DAYS, NOW, World, bearer, tokens
from view.city import CATEGORIES, COLUMN
from view.figures import periods

DUTY = bearer("city-duty")


def get(api: httpx.Client, path: str, token: str | None = "city-duty", **parameters: Any) -> dict[str, Any]:  # noqa: S107 - a name
    answer = api.get(f"/api/v1/{path}", params=parameters, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert {"seq", "as_of"} <= set(body)
    return body


def recount(world: World, digits: int, start: str, end: str, where: str = "1") -> dict[tuple[str, str], int]:
    """Incidents by area and category, from the facts."""
    rows = world.rows(
        f"SELECT substring(grid, 1, {digits}), substring(incident_class, 1, 1), count() FROM events "
        f"WHERE stage IN ('', 'reported') AND grid != '' AND at >= '{start}' AND at < '{end}' AND {where} GROUP BY 1, 2"
    )
    return {(area, CATEGORIES[COLUMN[letter]]): n for area, letter, n in rows}


def cells(body: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (area, category): body["n"][row][column]
        for row, area in enumerate(body["areas"])
        for column, category in enumerate(body["categories"])
        if body["n"][row][column]
    }


def clock(text: str) -> str:
    """A time of an answer as ClickHouse writes it."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(("level", "digits"), [("grid", 15), ("community", 12), ("town", 9), ("banner", 6)])
@pytest.mark.parametrize("window", ["1h", "6h", "24h", "7d", "day"])
def test_state_is_a_recount(api: httpx.Client, world: World, level: str, digits: int, window: str) -> None:
    body = get(api, "state", window=window, level=level)
    expected = recount(world, digits, clock(body["window"]["start"]), clock(body["window"]["end"]))

    assert cells(body) == expected
    assert body["sum"][-1] == sum(expected.values())


def test_a_window_may_end_earlier(api: httpx.Client, world: World) -> None:
    body = get(api, "state", window="6h", at="2026-11-15T08:00:00+08:00")
    assert body["window"]["end"] == "2026-11-15T00:00:00Z"
    assert cells(body) == recount(world, 15, "2026-11-14 18:00:00", "2026-11-15 00:00:00")


@pytest.mark.parametrize("token", ["own-duty", "fire-duty"])
def test_a_scope_counts_its_own(api: httpx.Client, world: World, token: str) -> None:
    body = get(api, "state", token, window="7d")
    where = {"own-duty": f"startsWith(grid, '{COMMUNITY}')", "fire-duty": "incident_class = 'S01'"}[token]
    expected = recount(world, 15, clock(body["window"]["start"]), clock(body["window"]["end"]), where)

    assert cells(body) == expected != {}


def test_a_series_is_a_recount_by_day_and_by_hour(api: httpx.Client, world: World) -> None:
    body = get(api, "series", step="day", area=COMMUNITY[:9], cat="disputes")
    rows = world.rows(
        "SELECT toString(toDate(at, 'Asia/Shanghai')) AS day, count() FROM events WHERE stage IN ('', 'reported') "
        f"AND startsWith(grid, '{COMMUNITY[:9]}') AND startsWith(incident_class, 'D') GROUP BY day"
    )
    told = dict(zip(body["t"], body["obs"], strict=True))
    assert {day: n for day, n in told.items() if n} == dict(rows)
    assert body["model"]["name"] == "ears_c2"

    body = get(api, "series", step="hour", cat="S05")
    rows = world.rows(
        "SELECT toString(toStartOfHour(at)) AS hour, count() FROM events WHERE stage IN ('', 'reported') AND incident_class = 'S05' "
        f"AND at >= '{clock(body['t'][0])}' GROUP BY hour"
    )
    told = {clock(at): n for at, n in zip(body["t"], body["obs"], strict=True)}
    assert {hour: n for hour, n in told.items() if n} == {str(hour)[:19]: n for hour, n in rows}


def test_before_the_first_event_and_after_the_last_nothing_is_known(api: httpx.Client) -> None:
    """Which is not 0: a day without any source, and a grid in which nothing happened on a day with them."""
    first = NOW.date() - timedelta(days=DAYS)
    body = get(
        api,
        "series",
        **{"from": "2026-10-20T00:00:00+08:00", "to": "2026-11-23T00:00:00+08:00"},
        cat="public_institution",
        area=COMMUNITY,
    )
    told = {date.fromisoformat(day): n for day, n in zip(body["t"], body["obs"], strict=True)}

    assert {n for day, n in told.items() if day < first} == {None}
    assert told[date(2026, 11, 22)] is None
    assert None not in {n for day, n in told.items() if first <= day <= NOW.date()}
    assert 0 in {n for day, n in told.items() if first <= day < NOW.date()}
    state = get(api, "state", window="1h", at="2026-10-20T00:00:00Z")
    assert all(n is None for row in state["n"] for n in row)
    assert state["masked"] == []


def test_expectations_come_from_the_days_before(api: httpx.Client) -> None:
    """EARS C2 by hand: seven days, two days' guard."""
    body = get(api, "series", step="day")
    past = body["obs"][-10:-3]
    mean = sum(past) / 7
    assert body["expected"][-1] == pytest.approx(mean, abs=1e-3)
    assert body["upper"][-1] > mean


def test_movers_compare_with_the_week_before(api: httpx.Client, world: World) -> None:
    body = get(api, "movers", window="24h", level="town", limit=500)
    start, end = (datetime.fromisoformat(body["window"][name]) for name in ("start", "end"))
    now = recount(world, 9, clock(body["window"]["start"]), clock(body["window"]["end"]))
    week = timedelta(days=7)
    base = recount(world, 9, clock((start - week).isoformat()), clock((end - week).isoformat()))

    assert body["compared"] == len(set(now) | set(base))
    for item in body["items"]:
        pair = (item["area"], item["cat"])
        assert (item["obs"], item["base"]) == (now.get(pair, 0), base.get(pair, 0))
        assert item["score"] == pytest.approx(2 * (item["obs"] ** 0.5 - item["base"] ** 0.5), abs=1e-3)


@pytest.mark.parametrize(
    ("by", "key"), [("tier", "tier"), ("dept", "department"), ("street", "town"), ("community", "community"), ("grid", "grid")]
)
def test_response_figures_are_those_of_the_published_views(api: httpx.Client, world: World, by: str, key: str) -> None:
    body = get(api, "response", by=by, month="2026-11")
    rows = world.rows(
        f"SELECT {key}, step, sum(due), count(took_ms), sum(judged), sum(met) FROM v_response_steps WHERE month = '2026-11-01' GROUP BY 1, 2"
    )
    told = {(one["key"], one["step"]): (one["due"], one["n"], one["judged"], one["met"]) for one in body["items"]}

    assert told == {(name, step): tuple(rest) for name, step, *rest in rows}
    assert any(one["lo"] < one["share"] < one["hi"] for one in body["items"] if one["judged"])


def test_mediation_and_change_are_those_of_the_published_views(api: httpx.Client, world: World) -> None:
    told = get(api, "response/mediation", month="2026-11")["items"]
    rows = world.rows(
        "SELECT mediation_level, sum(disputes), sum(settled), sum(failed), sum(pending) FROM v_mediation WHERE month = '2026-11-01' GROUP BY 1"
    )
    assert {tuple(one[name] for name in ("level", "disputes", "settled", "failed", "pending")) for one in told} == set(rows)
    assert len(rows) == 3
    assert all(one["lo"] < one["share"] < one["hi"] for one in told)

    body = get(api, "response/change", month="2026-11")
    view = world.rows(
        "SELECT category, any(days), sum(incidents), any(days_previous), sumOrNull(previous) FROM v_incidents_change "
        "WHERE level = 'banner' AND month = '2026-11-01' GROUP BY category"
    )
    told_of = [
        (one["category"], body["days"], one["incidents"], body["days_previous"], one["previous"]) for one in body["items"]
    ]
    assert sorted(told_of) == sorted(view)
    own = get(api, "response/change", "own-duty", month="2026-11")["items"]
    ((own_disputes,),) = world.rows(
        f"SELECT sum(incidents) FROM v_incidents_change WHERE level = 'community' AND area = '{COMMUNITY}' AND category = 'disputes'"
    )
    assert {one["category"]: one["incidents"] for one in own}["disputes"] == own_disputes
    fire = get(api, "response/change", "fire-duty", month="2026-11")["items"]
    ((fires,),) = world.rows("SELECT sum(incidents) FROM v_counts_day WHERE incident_class = 'S01' AND day < '2026-11-21'")
    assert [(one["category"], one["incidents"]) for one in fire] == [("public_safety", fires)]


@pytest.mark.parametrize(
    ("month", "newest", "wanted"),
    [
        ("2026-03-01", "2026-03-31", ("2026-03-31", "2026-02-28", "2025-03-31")),
        ("2026-03-01", "2026-03-30", ("2026-03-30", "2026-02-28", "2025-03-30")),
        ("2026-03-01", "2026-03-10", ("2026-03-10", "2026-02-10", "2025-03-10")),
        ("2026-01-01", "2026-06-05", ("2026-01-31", "2025-12-31", "2025-01-31")),
        ("2025-01-01", "2026-06-05", ("2025-01-31", None, None)),
    ],
)  # fmt: skip
def test_a_month_is_held_against_as_many_days(month: str, newest: str, wanted: tuple[str | None, ...]) -> None:
    found = periods(date.fromisoformat(month), date(2025, 1, 1), date.fromisoformat(newest))
    assert [one and f"{one.last}" for one in found] == list(wanted)


def test_events_are_paged_without_gap_or_repeat(api: httpx.Client, world: World) -> None:
    found: list[str] = []
    cursor = None
    while True:
        page = get(
            api, "events", limit=500, area=COMMUNITY[:9], since="2026-11-18T00:00:00Z", **({"cursor": cursor} if cursor else {})
        )
        found += [row["id"] for row in page["items"]]
        if not (cursor := page["next"]):
            break
    rows = world.rows(f"SELECT id FROM events WHERE startsWith(grid, '{COMMUNITY[:9]}') AND at >= '2026-11-18 00:00:00'")

    assert sorted(found) == sorted(row[0] for row in rows)
    assert len(found) > 500


def test_a_case_tells_its_steps_and_whether_they_were_in_time(api: httpx.Client, world: World) -> None:
    ((case, reported, accepted, arrived, dispatched, limit),) = world.rows(
        "SELECT case_id, reported, accepted, arrived, dispatched, arrive_limit_ms FROM v_response_cases "
        "WHERE arrived IS NOT NULL ORDER BY case_id LIMIT 1"
    )
    body = get(api, f"cases/{case}/timeline")
    steps = {step["step"]: step for step in body["steps"]}

    assert [step["step"] for step in body["steps"]] == ["reported", "accepted", "dispatched", "arrived", "resolved", "closed"]
    assert datetime.fromisoformat(steps["reported"]["at"]) == reported.replace(tzinfo=UTC)
    assert datetime.fromisoformat(steps["accepted"]["at"]) == accepted.replace(tzinfo=UTC)
    assert steps["arrived"]["met"] == (arrived <= dispatched + timedelta(milliseconds=limit))
    assert steps["closed"] == {
        "step": "closed", "at": None, "recorded_at": None, "role": "duty desk", "due_at": None, "met": None,
    }  # fmt: skip


def test_words_are_those_of_the_citys_own_catalogue(world: World) -> None:
    """Another name of a department and a class moved to it: `/meta` says so, and a token of it reads the class."""
    from schemas.catalogue.read import shipped
    from view.who import Scope

    moved = [one.model_copy(update={"department": "fire"}) if one.code == "D01" else one for one in shipped().incident_classes]
    named = [one.model_copy(update={"en": "Fire brigade"}) if one.id == "fire" else one for one in shipped().departments]
    own = shipped().model_copy(update={"incident_classes": tuple(moved), "departments": tuple(named)})
    with world.client(catalogue=own, tokens=tokens(own)) as client:
        assert "Fire brigade" in {one["en"] for one in get(client, "meta")["departments"]}
        assert "D01" in {row["incident_class"] for row in get(client, "events", "fire-duty", cat="D01")["items"]}
    assert "D01" not in (Scope.parse("department:fire", shipped()).classes or ())


def test_meta_has_every_word_in_both_languages(api: httpx.Client, world: World) -> None:
    body = get(api, "meta")
    assert len(body["scenarios"]) == 27
    assert len(body["areas"]) == len(world.places.areas())
    for name in ("levels", "categories", "classes", "scenarios", "departments", "alert_levels", "sources"):
        assert all(one["zh"] and one["en"] for one in body[name]), name
