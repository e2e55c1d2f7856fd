"""The HTTP API over a running deployment: how long /state takes, and how late changes come to many open streams.

python -m bench.view
python -m bench.view --clients 1000 --seconds 60

Events go all the time through Kafka, worker and loader, so that the state changes every second. Figures, with their goals:
`state` answers computed or kept (p95 50 ms), `unchanged` 304 (p95 5 ms), `live` from the moment when the store was asked
to the moment when a client has the change (p99 250 ms).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import orjson
import psutil

from bench.machine import machine
from citybrain.deployment import Deployment
from citybrain.ports import free_port
from citybrain.progress import measure
from citybrain.settings import Settings
from citybrain.view_tokens import add_token
from ingest.city import build_city, make_plan
from ingest.city.plan import merged
from ingest.outgoing import Outgoing
from ingest.producer import EventProducer
from schemas.catalogue.read import shipped
from schemas.kafka_options import Broker
from schemas.places import Places
from view.who import Scope

SERVERS: Final = ("fastapi", "starlette", "uvicorn", "highspy")
CLASSES: Final = ("D01", "O04", "S01", "P01", "C01")
WINDOWS: Final = ("1h", "6h", "24h", "7d")
GOALS: Final = {"state": 50.0, "unchanged": 5.0, "live": 250.0}
"""Milliseconds: p95, p95, p99."""


def main() -> None:
    """Fill a deployment, ask, listen, print. Exit code 1 when a goal is missed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=100_000, help="stored before anything is measured")
    arguments.add_argument("--rate", type=int, default=25, help="events a second while it is measured")
    arguments.add_argument("--asks", type=int, default=400, help="requests of each kind")
    arguments.add_argument("--clients", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=30, help="how long the clients listen")
    asked = arguments.parse_args()
    city = build_city(1)
    with tempfile.TemporaryDirectory() as folder, Deployment(Settings(), Path(folder), city.places) as deployment:
        secret = add_token(Path(folder) / "tokens.json", "bench", Scope(), shipped(), duty=True)
        port = free_port()
        view = deployment.part("view", ["view"], {"CITYBRAIN_VIEW__PORT": str(port)})
        fill(deployment, asked.events)
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as api:
            wait(api)
            with flowing(deployment.broker, city.places, asked.rate):
                figures: dict[str, Any] = {
                    "state": state(api, asked.asks),
                    "unchanged": unchanged(api, asked.asks),
                    "published": published(url, asked.asks),
                }
                assert view.process  # noqa: S101 - it was started
                before = sum(psutil.Process(view.process.pid).cpu_times()[:2])
                figures["live"] = live(url, secret, asked.clients, asked.seconds)
                spent = sum(psutil.Process(view.process.pid).cpu_times()[:2]) - before
            figures["view"] = {
                "cpu_seconds_while_live": round(spent, 1),
                "memory_mib": psutil.Process(view.process.pid).memory_info().rss >> 20,
            }
    missed = missed_goals(figures)
    told = {"machine": machine() | {name: version(name) for name in SERVERS}, **figures, "missed": missed}
    print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    raise SystemExit(1 if missed else 0)


def fill(deployment: Deployment, events: int) -> None:
    """A day and more of the simulated city, stored."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with EventProducer(deployment.broker) as producer:
        for wire in islice(merged(make_plan(build_city(1), midnight, events), played=False), events):
            producer.send_wire(wire)
    while measure(deployment.broker, deployment.query).behind:
        time.sleep(0.2)


def wait(api: httpx.Client) -> None:
    """Until the view is ready."""
    while True:
        try:
            if api.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)


@contextmanager
def flowing(broker: Broker, places: Places, rate: int) -> Iterator[None]:
    """Incidents of now, at a rate, until the block ends."""
    stop = threading.Event()

    def send() -> None:
        with EventProducer(broker) as producer:
            number = 0
            while not stop.wait(1 / rate):
                grid = places.grids[number % len(places.grids)].code
                data = {
                    "grid": grid,
                    "incident_class": CLASSES[number % len(CLASSES)],
                    "stage": "reported",
                    "case_id": f"b{number}",
                }
                producer.send(Outgoing("police", "/bench", f"{number}", datetime.now(UTC), data))
                number += 1

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def state(api: httpx.Client, asks: int) -> dict[str, float]:
    """200 of a duty token, four windows in turn, ten a second: each second's first of a window is computed, the others kept."""
    return timed(lambda number: api.get("/api/v1/state", params={"window": WINDOWS[number % 4]}), asks, 200, pause=0.1)


def unchanged(api: httpx.Client, asks: int) -> dict[str, float]:
    """304: a window that ended yesterday is asked for again with its ETag, as often as it takes."""
    known = ""

    def ask(_: int) -> httpx.Response:
        nonlocal known
        answer = api.get("/api/v1/state", headers={"If-None-Match": known})
        known = answer.headers["etag"]
        return answer

    return timed(ask, asks, 304)


def published(url: str, asks: int) -> dict[str, float]:
    """200 without a token: the masked table of the last whole day. The first one makes the mask and is told apart."""
    with httpx.Client(base_url=url, timeout=60) as anonymous:
        begun = time.perf_counter()
        anonymous.get("/api/v1/state").raise_for_status()
        first = 1000 * (time.perf_counter() - begun)
        return {"first_ms": round(first, 1)} | timed(lambda _: anonymous.get("/api/v1/state"), asks, 200, pause=0.05)


def timed(ask: Any, asks: int, status: int, pause: float = 0.0) -> dict[str, float]:
    """Milliseconds of so many answers with this status."""
    took: list[float] = []
    while len(took) < asks:
        begun = time.perf_counter()
        answer = ask(len(took))
        elapsed = 1000 * (time.perf_counter() - begun)
        if answer.status_code == status:
            took.append(elapsed)
        elif answer.status_code not in {200, 304}:
            answer.raise_for_status()
        time.sleep(pause)
    return {f"p{share}_ms": round(float(np.percentile(took, share)), 1) for share in (50, 95, 99)}


def live(url: str, secret: str, clients: int, seconds: float) -> dict[str, Any]:
    """Clients in a process of their own, so that they do not wait for one another's reader here."""
    command = [sys.executable, "-m", "bench.live_clients", "--url", url, "--token", secret]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    told: dict[str, Any] = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return told


def missed_goals(figures: dict[str, Any]) -> list[str]:
    """Which figures are above their goal, or could not be had."""
    late = figures["live"]["late_ms"]
    had = {"state": figures["state"]["p95_ms"], "unchanged": figures["unchanged"]["p95_ms"], "live": late and late["p99"]}
    missed = [
        f"{name}: {had[name]} ms, wanted {goal:.0f}" for name, goal in GOALS.items() if had[name] is None or had[name] > goal
    ]
    return missed + ([f"live: {figures['live']['dropped']} clients dropped"] if figures["live"]["dropped"] else [])


if __name__ == "__main__":
    main()
