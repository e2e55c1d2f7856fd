"""The live stream: what changed comes once to everybody who may see it; who was away gets it later; who is slow is dropped."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ingest.outgoing import Outgoing
from tests.alerts import action, raised
from tests.view.live_client import messages
from tests.view.test_numbers import get
from tests.view.world import COMMUNITY, NOW, World, bearer, incident, serving
from view.days import PublishedDays
from view.live import QUEUE, RING, Client, Hub
from view.parts import Pulse
from view.who import Scope, Who

DUTY = bearer("city-duty")
GRID = f"{COMMUNITY}001"


def fresh(name: str, grid: str = GRID, **data: Any) -> Outgoing:
    return incident(f"live-{name}", grid, NOW - timedelta(minutes=30), **data)


def test_a_change_is_told_and_adds_up_to_the_state(api: httpx.Client, world: World) -> None:
    with messages(api, DUTY) as stream:
        hello = stream.next("hello")
        stream.settle()
        before = get(api, "state")
        world.write("police", [fresh("one"), fresh("two")])
        delta = stream.next("delta")
        case = stream.next("case")
    after = get(api, "state")
    for row, column, level, n in delta["d"]:
        before["n"][row][column], before["level"][row][column] = n, level

    assert hello["seq"] <= before["seq"] < delta["seq"]
    assert len(delta["d"]) == 1
    assert before["n"] == after["n"]
    assert case["case"].startswith("live-")


def test_alerts_and_what_is_done_about_them_are_told(api: httpx.Client, world: World) -> None:
    alert = raised(f"{COMMUNITY}003")
    with messages(api, DUTY) as stream, messages(api, {}) as public:
        stream.next("hello")
        stream.settle()
        world.tell(alert)
        told, masked = stream.next("alert"), public.next("alert")
        world.tell(action(alert, "ack", "live-ack"))
        acted = stream.next("alert")

    assert (told["id"], told["version"], told["observed"]) == (alert.id, 1, 40.0)
    assert (acted["id"], acted["version"], acted["state"]) == (alert.id, 2, "acknowledged")
    assert (masked["area"], masked["observed"], masked["masked"]) == (COMMUNITY[:9], None, True)
    assert "delta" not in public.seen
    assert "case" not in public.seen


def test_who_was_away_is_told_what_was_missed_once(api: httpx.Client, world: World) -> None:
    with messages(api, DUTY) as stream:
        stream.next("hello")
        stream.settle()
        world.write("police", [fresh("seen")])
        stream.next("case")
        last = stream.last_id
        assert last
    with messages(api, DUTY) as other:  # somebody listens, so the ring goes on
        other.next("hello")
        world.write("police", [fresh("missed")])
        assert other.next("case")["case"] == "live-missed"
    with messages(api, DUTY | {"Last-Event-ID": last}) as back:
        assert back.next("case")["case"] == "live-missed"
        world.write("police", [fresh("new")])
        assert back.next("case")["case"] == "live-new"
    assert "reset" not in back.seen


@pytest.mark.parametrize("last", ["0000.1", "nonsense", "-1", "1"])
def test_who_was_away_too_long_starts_anew(api: httpx.Client, last: str) -> None:
    with messages(api, DUTY | {"Last-Event-ID": last}) as stream:
        stream.next("hello")
        assert stream.one()[0] == "reset"


def test_the_store_may_be_away_for_a_while(world: World) -> None:
    """Beats stay away, the stream does not end, and what happened meanwhile is told."""
    parts = world.parts()
    ask, away = parts.ask, False

    def asked(sql: str, values: Any) -> Any:
        if away:
            from schemas.errors import StoreUnavailable

            raise StoreUnavailable("query", 0, "away")
        return ask(sql, values)

    parts.ask = asked
    with serving(parts) as url, httpx.Client(base_url=url) as client, messages(client, DUTY) as stream:
        stream.next("hello")
        stream.settle()
        away = True
        world.write("police", [fresh("while-away")])
        time.sleep(1.5)
        answer = client.get("/api/v1/events", headers=DUTY)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert "away" not in answer.json()["detail"].split()
        away = False
        while stream.next("case")["case"] != "live-while-away":  # others were stored just before the stream began
            pass


def test_a_client_that_does_not_read_is_dropped_and_slows_nobody(world: World) -> None:
    """A real socket that reads nothing, and a stream beside it that gets every message while that one is stuck and after."""
    grids = [grid.code for grid in world.places.grids][:200]
    with serving(world.parts()) as url, httpx.Client(base_url=url, timeout=60) as client:
        where = urlsplit(url)
        with socket.socket() as stuck, messages(client, DUTY) as stream:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            stuck.connect((where.hostname, where.port))
            stuck.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer xcity-duty\r\n\r\n")
            stream.next("hello")
            stream.settle()
            deadline, rounds = time.monotonic() + 200, 0
            while client.get("/healthz").json()["dropped"] == 0:
                assert time.monotonic() < deadline
                world.write("police", [fresh(f"much-{rounds}-{number}", grid) for number, grid in enumerate(grids)])
                rounds += 1
                assert len(stream.next("delta")["d"]) == len(grids)
            world.write("police", [fresh("after")])
            while stream.next("case")["case"] != "live-after":
                pass
            health = client.get("/healthz").json()
            assert (health["dropped"], health["clients"]) == (1, 1)


class TestHub:
    """The producer without a network."""

    def hub(self, world: World) -> Hub:
        parts = world.parts()
        return Hub(parts, PublishedDays(parts.ask, parts.city, parts.zone))

    def test_a_full_queue_drops_its_client_and_no_other(self, world: World) -> None:
        hub = self.hub(world)
        who = Who("one", Scope(), duty=True)
        channel, slow = hub.join(who, None)
        _, quick = hub.join(who, None)
        got = 0
        for number in range(QUEUE + 5):
            hub.send(channel, [("delta", {"seq": number})])
            while not quick.queue.empty():
                quick.queue.get_nowait()
                got += 1

        assert channel.clients == {quick}
        assert got == 1 + QUEUE + 5
        assert hub.dropped == 1
        assert slow.queue.qsize() <= QUEUE + 1

    def test_the_ring_forgets_and_says_so(self, world: World) -> None:
        hub = self.hub(world)
        who = Who("one", Scope(), duty=True)
        channel, _ = hub.join(who, None)
        channel.clients.clear()
        hub.send(channel, [("delta", {"seq": number}) for number in range(RING + 10)])
        boot = hub._boot

        assert len(channel.ring) == RING
        assert len(hub._missed(channel, f"{boot}.10")) == RING
        (told,) = hub._missed(channel, f"{boot}.9")
        assert b"event: reset" in told
        assert hub._missed(channel, f"{boot}.{RING + 10}") == []
        _, back = hub.join(who, f"{boot}.300")
        assert back.queue.qsize() == 1 + RING + 10 - 300

    def test_where_a_stream_begins_is_told(self, world: World) -> None:
        """Differences are told from the first look on: a state that was loaded before it has to be loaded again."""
        hub = self.hub(world)
        channel, _ = hub.join(Who("one", Scope(), duty=True), None)
        pulse = hub._parts.look()

        ((event, body),) = hub.advance(channel, pulse)
        assert (event, body["seq"]) == ("reset", pulse.seq)
        assert "reset" not in [event for event, _ in hub.advance(channel, pulse)]

    def test_much_at_once_is_one_piece(self, world: World) -> None:
        """Two hundred cases in one second make no client slow."""
        hub = self.hub(world)
        channel, client = hub.join(Who("one", Scope(), duty=True), None)
        hub.send(channel, [("case", {"case": number}) for number in range(200)])

        assert channel.clients == {client}
        assert client.queue.qsize() == 2

    async def test_one_message_is_serialised_once(self, world: World) -> None:
        hub = self.hub(world)
        channel, first = hub.join(Who("one", Scope(), duty=True), None)
        _, second = hub.join(Who("two", Scope(), duty=True), None)
        hub.send(channel, [("delta", {"seq": 1})])
        one, two = [[client.queue.get_nowait() for _ in range(2)][1] for client in (first, second)]

        assert one is two
        await asyncio.sleep(0)

    def test_a_beat_says_when_the_store_answered(self, world: World) -> None:
        hub = self.hub(world)
        _, client = hub.join(Who("one", Scope(), duty=True), None)
        hub._beat(Pulse(7, NOW, NOW, NOW))
        client.queue.get_nowait()
        beat = json.loads(client.queue.get_nowait().split(b"data: ")[1])

        assert beat == {"seq": 7, "as_of": "2026-11-21T02:30:00Z"}
        assert Client().give(b"x")
