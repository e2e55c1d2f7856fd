"""Nobody reads past a scope: not by any route, export, live stream or error text. And nobody without a token from afar."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.catalogue.read import shipped
from tests.view.live_client import messages
from tests.view.test_numbers import get
from tests.view.world import COMMUNITY, NOW, OTHER, World, bearer, incident, serving, tokens
from view.who import ANONYMOUS, Scope, check_grant

FIRE = {entry.code for entry in shipped().incident_classes if entry.department == "fire"}
OWN = ("own-duty", "own-open")
ROUTES = (
    "state", "state?window=7d", "state?level=town&window=24h", "state?level=banner&window=24h", "series?step=day", "series?step=hour",
    "cases?limit=500", "scenarios", "today", "today?cat=disputes", "movers?window=24h", "movers?level=community&window=24h", "alerts", "events?limit=500&since=2026-11-18T00:00:00Z",
    "response?by=street&month=2026-11", "response?by=community&month=2026-11", "response?by=grid&month=2026-11",
    "response/mediation?month=2026-11", "response/change?month=2026-11",
    "response?by=dept&month=2026-11", "export/grids.csv?window=24h", "export/grids.geojson?window=24h",
    "export/grids.csv", "export/alerts.csv", "export/alerts.geojson", "export/series.csv",
)  # fmt: skip


ELSEWHERE = {"alerts/{alert}", "alerts/{alert}/actions", "cases/{case}/timeline", "live"}
"""Routes that tests of their own read past."""
FOR_ALL = {"meta", "grids.{digest}.geojson"}
"""Words and outlines, no count."""


def test_no_route_is_forgotten_here(api: httpx.Client) -> None:
    """Who adds a route says how its scope is tested."""
    known = {one.partition("?")[0] for one in ROUTES} | ELSEWHERE | FOR_ALL
    known = {one.replace(".csv", ".{form}").replace(".geojson", ".{form}") if "export" in one else one for one in known}
    paths = {path.removeprefix("/api/v1/") for path in api.get("/openapi.json").json()["paths"] if path.startswith("/api/")}
    assert {path.replace("series.csv", "series.{form}") for path in paths} == known


def codes_in(text: str) -> set[str]:
    """Every area code that stands in an answer."""
    return {found for found in re.findall(r"(?<![0-9a-f])150627[0-9]{0,9}(?![0-9a-f])", text) if len(found) in {6, 9, 12, 15}}


@pytest.mark.parametrize("token", OWN)
@pytest.mark.parametrize("path", ROUTES)
def test_a_community_reads_only_its_own(api: httpx.Client, token: str, path: str) -> None:
    answer = api.get(f"/api/v1/{path}", headers=bearer(token))
    foreign = {code for code in codes_in(answer.text) if not code.startswith(COMMUNITY) and not COMMUNITY.startswith(code)}
    if answer.status_code == 200:
        allowed = {COMMUNITY[:9]} if "response?by=street" in path else set()
        assert {code for code in codes_in(answer.text) if not code.startswith(COMMUNITY)} <= allowed, (
            "only the street it lies in"
        )
    else:
        assert (token, answer.status_code) == ("own-open", 403)
    assert foreign == set()


@pytest.mark.parametrize("token", OWN)
@pytest.mark.parametrize(
    "path",
    [
        "series?area={}",
        "events?area={}",
        "cases?area={}",
        "scenarios?area={}",
        "today?area={}",
        "alerts?area={}",
        "export/series.csv?area={}",
        "export/alerts.csv?area={}",
    ],
)
@pytest.mark.parametrize("area", [OTHER, f"{OTHER}001", "150627", "150627001", "999999999999"])
def test_another_area_is_told_as_one_that_does_not_exist(api: httpx.Client, token: str, path: str, area: str) -> None:
    told = api.get(f"/api/v1/{path.format(area)}", headers=bearer(token))
    nowhere = api.get(f"/api/v1/{path.format('999999' + area[6:])}", headers=bearer(token))

    assert told.status_code in {403, 404}
    assert {**told.json(), "instance": ""} == {**nowhere.json(), "instance": ""}
    assert area not in told.text


def test_single_things_outside_are_not_there(api: httpx.Client, world: World) -> None:
    """An alert and a case of another community: the same answer as for an invented one, for reading and acting."""
    ((alert,),) = world.rows(f"SELECT alert_id FROM v_alerts WHERE area = '{OTHER}002'")
    ((case,),) = world.rows(f"SELECT case_id FROM v_cases WHERE startsWith(grid, '{OTHER}') LIMIT 1")
    for path, invented in ((f"alerts/{alert}", f"alerts/{'0' * 32}"), (f"cases/{case}/timeline", "cases/none/timeline")):
        told, nothing = (api.get(f"/api/v1/{one}", headers=bearer("own-duty")) for one in (path, invented))
        assert told.status_code == nothing.status_code == 404
        assert {**told.json(), "instance": ""} == {**nothing.json(), "instance": ""}
    acted = api.post(
        f"/api/v1/alerts/{alert}/actions", json={"kind": "ack"},
        headers=bearer("own-duty") | {"If-Match": '"1"', "Idempotency-Key": "outside-1"},
    )  # fmt: skip
    assert acted.status_code == 404
    assert world.rows("SELECT count() FROM alert_actions") == [(0,)]


def test_a_cursor_of_another_scope_leads_nowhere(api: httpx.Client) -> None:
    page = get(api, "alerts", "city-duty", limit=1)
    assert api.get("/api/v1/alerts", params={"cursor": page["next"]}, headers=bearer("own-duty")).status_code in {200, 404}
    body = api.get("/api/v1/alerts", params={"cursor": page["next"]}, headers=bearer("own-duty")).text
    assert OTHER not in body
    events = get(api, "events", "city-duty", limit=1)
    body = json.dumps(get(api, "events", "own-duty", cursor=events["next"], limit=500))
    assert {code for code in codes_in(body) if not code.startswith(COMMUNITY)} == set()


def test_a_department_reads_only_its_classes(api: httpx.Client, world: World) -> None:
    events = get(api, "events", "fire-duty", limit=500, since="2026-11-01T00:00:00Z")
    assert {row["incident_class"] for row in events["items"]} <= FIRE
    assert events["items"]
    ((case,),) = world.rows("SELECT case_id FROM v_cases WHERE incident_class = 'D01' LIMIT 1")
    assert api.get(f"/api/v1/cases/{case}/timeline", headers=bearer("fire-duty")).status_code == 404
    assert sum(n or 0 for n in get(api, "series", "fire-duty", cat="D01")["obs"]) == 0
    for alert in get(api, "alerts", "fire-duty")["items"]:
        assert alert["incident_class"] in FIRE


def test_the_live_stream_keeps_to_the_scope(api: httpx.Client, world: World) -> None:
    at = NOW - timedelta(minutes=30)
    with messages(api, bearer("own-duty")) as own:
        assert own.next("hello")
        own.settle()
        world.write("police", [incident("outside", f"{OTHER}001", at), incident("inside", f"{COMMUNITY}001", at)])
        delta, case = own.next("delta"), own.next("case")
    state = get(api, "state", "own-duty")

    assert {state["areas"][cell[0]] for cell in delta["d"]} == {f"{COMMUNITY}001"}
    assert case["grid"] == f"{COMMUNITY}001"


class TestWho:
    @pytest.mark.parametrize("given", ["Bearer wrong", "Bearer", "Basic eDpk", "xcity-duty", "Bearer xcity-duty2"])
    def test_a_wrong_token_is_not_nobody(self, api: httpx.Client, given: str) -> None:
        answer = api.get("/api/v1/state", headers={"Authorization": given})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        if given != "Bearer":
            assert given.rsplit(maxsplit=1)[-1] not in answer.text

    def test_beyond_loopback_everybody_says_who(self, world: World) -> None:
        with serving(world.parts(anonymous=False)) as url:
            assert httpx.get(f"{url}/api/v1/state").status_code == 401
            assert httpx.get(f"{url}/api/v1/meta", headers=bearer("city-open")).status_code == 200
            assert httpx.get(f"{url}/readyz").status_code == 200

    def test_a_name_made_to_mean_loopback_is_refused(self, world: World) -> None:
        """A page elsewhere cannot read what needs no token by having its own name point here."""
        with serving(world.parts(hosts=frozenset({"127.0.0.1", "localhost"}))) as url:
            assert httpx.get(f"{url}/api/v1/meta").status_code == 200
            assert httpx.get(f"{url}/api/v1/meta", headers={"Host": "evil.example"}).status_code == 400

    def test_scopes_are_read_strictly(self) -> None:
        for text in ("", "city:1", "community:15062700100", "community:x", "department:nobody", "town:150627001", "city\n"):
            with pytest.raises(ValueError, match="wanted city, community"):
                Scope.parse(text, shipped())
        with pytest.raises(ValueError, match="--duty"):
            check_grant(Scope.parse("department:fire", shipped()), duty=False)
        assert not ANONYMOUS.duty
        assert tokens().who("city-duty") is None


def test_the_access_log_says_who_asked_what(api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="view.access"):
        get(api, "events", "own-duty", cat="D01")
        api.get("/api/v1/state?window=1h")
        api.get("/api/v1/state", headers={"Authorization": "Bearer no-such-secret"})
    lines: list[dict[str, Any]] = [json.loads(record.message) for record in caplog.records if record.name == "view.access"]

    assert [(line["who"], line["status"]) for line in lines] == [("own-duty", 200), ("anonymous", 403), (None, 401)]
    assert (lines[0]["scope"], lines[0]["query"]) == (f"community:{COMMUNITY}", "cat=D01")
    assert isinstance(lines[0]["rows"], int)
    assert "no-such-secret" not in caplog.text
