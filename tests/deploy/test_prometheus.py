"""Debian's Prometheus scrapes a running `citybrain up`, a rule fires, and Debian's Alertmanager tells it on and resolves."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import yaml
from kafka import KafkaProducer

from citybrain.ports import free_port
from citybrain.status import parts_of
from ingest.outgoing import Outgoing
from ingest.producer import EventProducer
from schemas.alerts import AlertAction, AlertRaised, encode_alert
from schemas.kafka_options import Broker, producer
from schemas.topics import ALERTS
from tests.alerts import action, raised
from tests.debian import program
from tests.deploy.grafana import PROMETHEUS, targets

SHIPPED = Path(__file__).parents[2] / "deploy/prometheus"
PATIENCE_SECONDS = 120.0
T = TypeVar("T")


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())


def until(what: str, ask: Callable[[], T]) -> T:
    """The first true answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if found := ask():
                return found
        except OSError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"never saw: {what}")


class Duty(http.server.BaseHTTPRequestHandler):
    """A webhook that keeps what Alertmanager tells."""

    told: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Stack:
    """`citybrain up`, Prometheus with the shipped rules, Alertmanager with the shipped routes and a webhook."""

    def __init__(self, folder: Path, stack: ExitStack, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self._stack = folder, stack
        kafka, metrics, self.view, self.prometheus, self.alertmanager = (free_port() for _ in range(5))
        self.broker = Broker(bootstrap=f"127.0.0.1:{kafka}")
        self.told: list[dict[str, Any]] = []
        self._alertmanager(self._webhook())
        self._prometheus(metrics)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("CITYBRAIN_")}
        self.up = subprocess.Popen(
            [sys.executable, "-m", "citybrain", "up", "--data-dir", str(folder / "data"), "--json"],
            env=ours
            | {
                "CITYBRAIN_BROKER__BOOTSTRAP": self.broker.bootstrap,
                "CITYBRAIN_METRICS__PORT": str(metrics),
                "CITYBRAIN_VIEW__PORT": str(self.view),
                "CITYBRAIN_ALERTMANAGER__URL": f"http://127.0.0.1:{self.alertmanager}",
            }
            | settings,
            stdout=subprocess.PIPE,
        )
        stack.callback(self._end, self.up, signal.SIGINT)
        assert self.up.stdout
        assert json.loads(self.up.stdout.readline())["data_dir"]
        stack.callback(self.up.stdout.close)

    def value(self, query: str) -> float | None:
        """The single value of a PromQL query; None for no answer."""
        asked = urllib.parse.urlencode({"query": query})
        result = get(f"http://127.0.0.1:{self.prometheus}/api/v1/query?{asked}")["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def runs(self, part: str) -> bool:
        """Whether Prometheus sees that a part runs."""
        return self.value(f'citybrain_part_up{{part="{part}"}}') == 1

    def firing(self) -> set[str]:
        """Rules that fire in Prometheus."""
        alerts = get(f"http://127.0.0.1:{self.prometheus}/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def active(self, name: str) -> list[dict[str, Any]]:
        """Alerts of a name that Alertmanager holds as not resolved, by amtool."""
        done = subprocess.run(
            [
                program("amtool"),
                "--alertmanager.url",
                f"http://127.0.0.1:{self.alertmanager}",
                "-o",
                "json",
                "alert",
                "query",
                name,
            ],
            capture_output=True,
            check=True,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def rang(self, name: str) -> list[str]:
        """What the webhook was told of alerts of a name: firing or resolved, in order."""
        return [message["status"] for message in self.told if message["commonLabels"].get("alertname") == name]

    def log(self, events: list[AlertRaised | AlertAction]) -> None:
        """Write alerts and actions to citybrain.alerts, as the watch and the API do."""
        client = KafkaProducer(**producer(self.broker))
        for event in events:
            wire = encode_alert(event)
            client.send(ALERTS.name, key=wire.key, value=wire.value, headers=wire.headers)
        client.flush()
        client.close()

    def notifier(self) -> psutil.Process | None:
        """The running `notify` part."""
        pids = [part["pid"] for part in parts_of(self.up.pid, self.folder / "data") if part["part"] == "notify"]
        return psutil.Process(pids[0]) if pids else None

    def _webhook(self) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("_Duty", (Duty,), {"told": self.told}))
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/"

    def _alertmanager(self, webhook: str) -> None:
        """The shipped file with a webhook behind each receiver, and without its pauses."""
        settings = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text(encoding="utf-8"))
        settings["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        for receiver in settings["receivers"]:
            receiver["webhook_configs"] = [{"url": webhook, "send_resolved": True}]
        file = self.folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._start(
            "prometheus-alertmanager", f"--config.file={file}", f"--web.listen-address=127.0.0.1:{self.alertmanager}",
            f"--storage.path={self.folder / 'alertmanager'}", "--cluster.listen-address=",
        )  # fmt: skip

    def _prometheus(self, metrics: int) -> None:
        """The shipped file with our ports, every second; the rules are the shipped ones as they are."""
        settings = yaml.safe_load((SHIPPED / "prometheus.yml").read_text(encoding="utf-8"))
        settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        settings["rule_files"] = [str(SHIPPED / name) for name in settings["rule_files"]]
        settings["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{metrics}"]
        settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{self.alertmanager}"]
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._start(
            "prometheus", f"--config.file={file}", f"--web.listen-address=127.0.0.1:{self.prometheus}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}", "--log.level=warn",
        )  # fmt: skip

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen([program(name), *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._stack.callback(self._end, process, signal.SIGTERM)

    def _end(self, process: subprocess.Popen[bytes], how: signal.Signals) -> None:
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with ExitStack() as closing:
        yield Stack(tmp_path_factory.mktemp("stack"), closing)


def test_prometheus_sees_the_pipeline_and_a_rule_fires_and_reaches_alertmanager(stack: Stack) -> None:
    """100 good events and 60 that are no JSON: more than 5 % rejects."""
    until("the pipeline in Prometheus", lambda: stack.value('up{job="citybrain"}'))
    until("counters before their first count", lambda: stack.value("count(citybrain_events_rejected_total)"))
    for part in ("load", "work-1", "notify"):
        until(f"{part} running", partial(stack.runs, part))
    assert stack.firing() == set()
    with EventProducer(stack.broker) as sender:
        for number in range(100):
            sender.send(Outgoing("police", "/p", str(number), datetime.now(UTC), {"text": "入室盗窃"}))
        for _ in range(60):
            sender.send_record("police", b"k", b"{not json", [])

    until("60 rejects", lambda: stack.value('citybrain_events_rejected_total{reason="not_json"}') == 60)
    until("100 rows", lambda: stack.value('citybrain_clickhouse_rows_total{table="events"}') == 100)
    until("160 records read", lambda: stack.value('citybrain_events_total{kind="police"}') == 160)
    until("the rule fires", lambda: "CitybrainRejects" in stack.firing())
    (alert,) = until("Alertmanager has it", lambda: stack.active("CitybrainRejects"))
    assert alert["labels"]["severity"] == "warning"
    assert alert["annotations"]["runbook"] == "docs/operations.md#citybrainrejects"
    until("the webhook was told", lambda: stack.rang("CitybrainRejects"))
    assert stack.firing() == {"CitybrainRejects"}


def test_every_expression_of_the_dashboards_is_answered(stack: Stack) -> None:
    """A rate needs two scrapes after the first count. Without data stays what the last audit found: none ran yet."""

    def silent() -> set[str]:
        get(f"http://127.0.0.1:{stack.view}/api/v1/meta")  # or the API would have answered nobody
        return {target.panel["title"] for target in targets(PROMETHEUS) if stack.value(target.target["expr"]) is None}

    until("data in every panel", lambda: silent() <= {"Doubles"})


def test_the_verdict_of_an_audit_is_a_metric_of_the_deployment(stack: Stack) -> None:
    """The rule CitybrainDoubles watches it; its own command is another process."""
    before = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "citybrain", "audit", "--data-dir", str(stack.folder / "data"), "--json"],
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout)["twice"] == 0, done.stderr
    files = list((stack.folder / "data/metrics").glob("gauge_mostrecent_*.db"))
    assert any(b"citybrain_doubles_events" in file.read_bytes() and file.stat().st_mtime >= before for file in files)
    until("the audit's verdict in Prometheus", lambda: stack.value("count(citybrain_doubles_events == 0)"))


def test_an_alert_of_the_city_rings_once_and_is_resolved_once_however_often_it_is_read(stack: Stack) -> None:
    alert = raised("150627001001001")
    fresh = alert.model_copy(update={"time": datetime.now(UTC)})
    old = raised("150627002").model_copy(update={"time": datetime.now(UTC) - timedelta(days=3)})
    stack.log([old, fresh])
    (active,) = until("the alert in Alertmanager", lambda: stack.active("CityRisk"))
    assert active["labels"]["grid"] == "150627001001001"
    assert active["annotations"]["alert_id"] == fresh.id
    until("it rings", lambda: stack.rang("CityRisk") == ["firing"])

    resolved = action(alert, "resolve", "r1").model_copy(update={"time": datetime.now(UTC)})
    stack.log([fresh, resolved])
    until("resolved in Alertmanager", lambda: not stack.active("CityRisk"))
    until("it is told as resolved", lambda: stack.rang("CityRisk") == ["firing", "resolved"])

    notifier = until("the notifier", stack.notifier)
    assert notifier is not None
    notifier.kill()
    delivered = stack.value('citybrain_alerts_notified_total{result="delivered"}') or 0
    until("a new notifier", lambda: stack.notifier() not in {None, notifier})
    stack.log([fresh, resolved])  # the whole log again, and records again
    until("it sent again", lambda: (stack.value('sum(citybrain_alerts_notified_total{result="delivered"})') or 0) > delivered)
    time.sleep(3)  # longer than every pause of Alertmanager here
    assert stack.rang("CityRisk") == ["firing", "resolved"]
    assert stack.active("CityRisk") == []
    assert stack.value('citybrain_part_restarts_total{part="notify"}') == 1
