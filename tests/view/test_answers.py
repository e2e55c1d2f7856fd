"""The form of answers: caching, problems, headers, actions, and that schemathesis finds nothing."""

from __future__ import annotations

import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.errors import BrokerUnavailable
from schemas.places import Places
from tests.alerts import raised
from tests.view.test_numbers import get
from tests.view.world import COMMUNITY, NOW, OTHER, World, bearer, serving

DUTY = bearer("city-duty")
PROBLEM = "application/problem+json"


class TestCaching:
    def test_a_state_that_has_not_changed_is_not_sent_again(self, api: httpx.Client) -> None:
        for headers in (DUTY, {}):
            first = api.get("/api/v1/state", headers=headers)
            again = api.get("/api/v1/state", headers=headers | {"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["cache-control"] == "private, no-cache"

    def test_one_asker_never_gets_what_another_may_see(self, api: httpx.Client) -> None:
        """The ETag holds who asks, and caches are told so."""
        exact = api.get("/api/v1/state?window=day", headers=DUTY)
        masked = api.get("/api/v1/state?window=day", headers={"If-None-Match": exact.headers["etag"]})
        assert masked.status_code == 200
        assert masked.headers["etag"] != exact.headers["etag"]
        assert "Authorization" in masked.headers["vary"]
        assert masked.headers["cache-control"].startswith("private")

    def test_areas_may_be_kept_for_ever(self, api: httpx.Client, world: World) -> None:
        digest = get(api, "meta")["grids"]
        assert get(api, "state")["grids"] == digest
        answer = api.get(f"/api/v1/grids.{digest}.geojson")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "application/geo+json"
        features = answer.json()["features"]
        assert [one["id"] for one in features] == list(range(1, len(features) + 1))
        assert [one["properties"]["code"] for one in features] == [grid.code for grid in world.places.grids]
        assert api.get("/api/v1/grids.0123456789abcdef.geojson").status_code == 404

    def test_what_is_over_is_kept_longer(self, api: httpx.Client) -> None:
        closed = api.get("/api/v1/series?from=2026-11-10T00:00:00Z&to=2026-11-14T00:00:00Z", headers=DUTY)
        still = api.get("/api/v1/series", headers=DUTY)
        assert "max-age=3600" in closed.headers["cache-control"]
        assert "max-age=30" in still.headers["cache-control"]


class TestProblems:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nowhere", 404), ("GET", "/api/v1/states", 404), ("POST", "/api/v1/state", 405), ("GET", "/api/v1/state?window=2h", 422),
            ("GET", "/api/v1/state?at=yesterday", 422), ("GET", "/api/v1/state?at=1700000000", 422),
            ("GET", "/api/v1/series?from=2.2e-313", 422), ("GET", "/api/v1/series?area=15062", 422), ("GET", "/api/v1/events?limit=0", 422),
            ("GET", "/api/v1/alerts/xyz", 422),
            ("GET", "/api/v1/events?cursor=AAAA", 404), ("GET", f"/api/v1/alerts/{'0' * 32}", 404), ("DELETE", "/healthz", 405),
            ("GET", "/api/v1/series?cat=D01%27%20OR%201", 422), ("POST", f"/api/v1/alerts/{'0' * 32}/actions", 422),
        ],
    )  # fmt: skip
    def test_every_error_is_a_problem(self, api: httpx.Client, method: str, path: str, status: int) -> None:
        answer = api.request(method, path, headers=DUTY)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["status"] == status
        assert {"type", "title", "detail", "instance"} <= set(answer.json())
        assert answer.headers["cache-control"] == "no-store"

    def test_a_defect_of_ours_shows_nothing_of_the_inside(self, world: World) -> None:
        parts = world.parts()
        with serving(parts) as url:
            parts.ask = _defect
            answer = httpx.get(f"{url}/api/v1/events", headers=DUTY)
        assert answer.status_code == 500
        assert answer.headers["content-type"] == PROBLEM
        assert answer.headers["x-content-type-options"] == "nosniff"
        for word in ("Traceback", "IndexError", "view/", ".py"):
            assert word not in answer.text

    def test_headers_are_strict_on_every_answer(self, api: httpx.Client) -> None:
        for path in ("/api/v1/state", "/nowhere", "/healthz", "/openapi.json", "/api/v1/events"):
            headers = api.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"].startswith("default-src 'none'")

    def test_health_is_progress(self, world: World) -> None:
        parts = world.parts()
        with serving(parts) as url:
            deadline = time.monotonic() + 60
            while httpx.get(f"{url}/healthz").status_code == 503:  # the store has not been asked yet
                assert time.monotonic() < deadline
            assert httpx.get(f"{url}/healthz").json()["seq"] > 0
            assert httpx.get(f"{url}/readyz").json()["ready"] is True
            parts.ask = _broken
            parts.now = lambda: NOW + timedelta(seconds=40)
            assert httpx.get(f"{url}/healthz").status_code == 503
            assert httpx.get(f"{url}/readyz").status_code == 503

    def test_a_city_without_places_or_events_has_answers(self, world: World) -> None:
        from view.city import CityMap

        with world.client(city=CityMap(Places(()))) as client:
            for path in ("state", "series", "movers", "alerts", "response", "export/grids.csv", "meta"):
                assert client.get(f"/api/v1/{path}").status_code == 200, path


def _defect(*_: Any) -> Any:
    raise IndexError("a defect")


def _broken(*_: Any) -> Any:
    raise BrokerUnavailable("away")


class TestActions:
    def post(
        self,
        api: httpx.Client,
        alert: str,
        kind: str,
        key: str,
        version: int | None,
        token: str = "city-duty",  # noqa: S107 - a name
    ) -> httpx.Response:
        headers = bearer(token) | {"Idempotency-Key": key} | ({"If-Match": f'"{version}"'} if version else {})
        return api.post(f"/api/v1/alerts/{alert}/actions", json={"kind": kind}, headers=headers)

    @pytest.fixture
    def alert(self, world: World, request: pytest.FixtureRequest) -> str:
        number = zlib.crc32(request.node.name.encode())  # Python's own hash is another in each run
        made = raised(f"{OTHER}{1 + number % 5:03d}", incident_class="S01", detector=request.node.name[:60])
        made = made.model_copy(update={"id": f"{number:032x}"})
        world.tell(made)
        return made.id

    def test_it_is_an_event_and_the_alert_shows_it(self, api: httpx.Client, world: World, alert: str) -> None:
        before = api.get(f"/api/v1/alerts/{alert}", headers=DUTY)
        assert before.headers["etag"] == '"1"'
        done = self.post(api, alert, "ack", "shows-it-1", 1)
        assert done.status_code == 202, done.text
        after = get(api, f"alerts/{alert}")

        assert (after["state"], after["version"], done.headers["etag"]) == ("acknowledged", 2, '"2"')
        assert [(one["kind"], one["role"], one["version"]) for one in after["actions"]] == [("ack", "city-duty", 1)]
        assert world.published[-1].data.alert_id == alert

    def test_the_same_key_again_changes_nothing(self, api: httpx.Client, world: World, alert: str) -> None:
        first = self.post(api, alert, "ack", "same-key-1", 1)
        sent = len(world.published)
        again = self.post(api, alert, "ack", "same-key-1", 1)

        assert first.json()["action_id"] == again.json()["action_id"]
        assert (again.status_code, again.json()["version"], len(world.published)) == (202, 2, sent)
        assert self.post(api, alert, "resolve", "same-key-1", 2).status_code == 422

    def test_who_saw_an_older_version_is_told_who_acted(self, api: httpx.Client, alert: str) -> None:
        assert self.post(api, alert, "ack", "older-version-1", 1).status_code == 202
        late = self.post(api, alert, "dispatch", "older-version-2", 1)
        assert (late.status_code, late.headers["etag"]) == (412, '"2"')
        assert "city-duty did ack" in late.json()["detail"]
        assert self.post(api, alert, "dispatch", "older-version-3", None).status_code == 428

    def test_of_many_at_once_one_acts_even_before_the_loader_has_it(self, api: httpx.Client, world: World, alert: str) -> None:
        world.loading = False
        try:
            start = threading.Barrier(8)

            def act(number: int) -> int:
                start.wait()
                return self.post(api, alert, "ack", f"many-at-once-{number}", 1).status_code

            with ThreadPoolExecutor(8) as officers:
                codes = sorted(officers.map(act, range(8)))
        finally:
            world.loading = True
        mine = [event for event in world.published if event.data.alert_id == alert]
        assert codes == [202] + [412] * 7
        assert len(mine) == 1
        assert get(api, f"alerts/{alert}")["version"] == 1, "not stored yet"
        world.tell(mine[0])
        assert get(api, f"alerts/{alert}")["version"] == 2
        assert self.post(api, alert, "dispatch", "many-at-once-z", 2).status_code == 202

    def test_what_is_ended_stays_so(self, api: httpx.Client, alert: str) -> None:
        assert self.post(api, alert, "false_alarm", "ended-1234", 1).status_code == 202
        late = self.post(api, alert, "escalate", "ended-5678", 2)
        assert (late.status_code, "false_alarm" in late.json()["detail"]) == (409, True)

    @pytest.mark.parametrize("token", [None, "city-open", "own-open"])
    def test_only_duty_tokens_act(self, api: httpx.Client, world: World, alert: str, token: str | None) -> None:
        sent = len(world.published)
        headers = bearer(token) | {"Idempotency-Key": "no-duty-1", "If-Match": '"1"'}
        assert api.post(f"/api/v1/alerts/{alert}/actions", json={"kind": "ack"}, headers=headers).status_code == 403
        assert len(world.published) == sent

    def test_what_the_broker_did_not_confirm_was_not_done(self, world: World, alert: str) -> None:
        with world.client(publish=_broken) as client:
            assert self.post(client, alert, "ack", "unconfirmed-1", 1).status_code == 503
            assert get(client, f"alerts/{alert}")["version"] == 1


def test_a_series_is_never_longer_than_2000_steps(api: httpx.Client) -> None:
    told = get(api, "series", step="hour", **{"from": "1900-01-01T00:00:00Z", "to": "9999-01-01T00:00:00Z"})
    assert len(told["t"]) == 2000
    for step in ("hour", "day"):
        assert get(api, "series", step=step, **{"from": "2026-11-10T00:00:00Z", "to": "2026-11-01T00:00:00Z"})["t"] == []


def test_exports_say_what_the_routes_say(api: httpx.Client) -> None:
    state = get(api, "state", window="24h")
    features = api.get("/api/v1/export/grids.geojson?window=24h", headers=DUTY).json()["features"]
    assert [one["properties"]["code"] for one in features] == state["areas"]
    assert [list(one["properties"]["n"].values()) for one in features] == state["n"]
    lines = api.get("/api/v1/export/series.csv", headers=DUTY).text.splitlines()
    assert len(lines) == 1 + len(get(api, "series")["t"])
    assert COMMUNITY in api.get("/api/v1/export/alerts.csv", headers=DUTY).text
    assert api.get("/api/v1/export/alerts.geojson", headers=DUTY).json()["total"] >= 3
