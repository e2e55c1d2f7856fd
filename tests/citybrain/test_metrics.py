"""Every metric is explained, and one port serves those of all parts that share a folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from citybrain.metrics_server import SHARED, clear_metrics, serve_metrics
from citybrain.ports import free_port
from schemas import metrics

ALL = {name: value for name, value in vars(metrics).items() if isinstance(value, MetricWrapperBase)}
PART = """
import sys
from prometheus_client.metrics import MetricWrapperBase
from schemas import metrics
for metric in [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]:
    labelled = metric.labels(*["some"] * len(metric._labelnames)) if metric._labelnames else metric
    if hasattr(labelled, "observe"):
        labelled.observe(2)
    elif hasattr(labelled, "set"):
        labelled.set(int(sys.argv[1]))
    else:
        labelled.inc(int(sys.argv[1]))
"""
SERVER = """
import sys, time
from citybrain.metrics_server import serve_metrics
serve_metrics(int(sys.argv[1]))
print("ready", flush=True)
time.sleep(60)
"""


def scrape(port: int) -> dict[str, float]:
    """Samples by name; several of one name added up."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One server over two parts that have counted 3 and 4, and ended."""
    folder, port = tmp_path_factory.mktemp("metrics"), free_port()
    environment = {**os.environ, SHARED: str(folder)}
    for number in ("3", "4"):
        subprocess.run([sys.executable, "-c", PART, number], check=True, env=environment)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=environment, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    yield port
    server.kill()
    server.wait()
    server.stdout.close()


class TestDefinitions:
    def test_there_are_metrics_for_all_that_was_promised(self) -> None:
        told = " ".join(metric._name for metric in ALL.values())
        for part in (
            "events",
            "rejected",
            "classified",
            "lag",
            "block_rows",
            "block_age",
            "insert_seconds",
            "event_lag",
            "holes",
            "doubles",
        ):
            assert part in told, part

    @pytest.mark.parametrize("name", sorted(ALL))
    def test_each_is_named_and_explained(self, name: str) -> None:
        metric = ALL[name]

        assert metric._name.startswith("citybrain_")
        assert len(metric._documentation.split()) >= 3
        if isinstance(metric, Histogram):
            assert metric._name.endswith(("_seconds", "_rows")), "a histogram says its unit"
        assert isinstance(metric, Counter | Gauge | Histogram)

    def test_no_name_is_used_twice(self) -> None:
        names = [metric._name for metric in ALL.values()]
        assert len(names) == len(set(names))


class TestServer:
    def test_every_metric_of_every_part_is_served(self, port: int) -> None:
        found = scrape(port)
        for name, metric in ALL.items():
            if isinstance(metric, Histogram):
                assert found[f"{metric._name}_sum"] == 4, name
                assert found[f"{metric._name}_count"] == 2, name
            elif isinstance(metric, Counter):
                assert found[f"{metric._name}_total"] == 7, f"{name}: counters of parts add up"
            else:
                assert found[metric._name] == 4, f"{name}: the newest value of a gauge counts"

    def test_it_listens_on_loopback_only(self, port: int) -> None:
        outside = socket.gethostbyname(socket.gethostname())
        if outside.startswith("127."):
            outside = "0.0.0.1"
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((outside, port)) != 0

    def test_port_zero_serves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("prometheus_client.start_http_server", lambda *_, **__: pytest.fail("served"))
        serve_metrics(0)


class TestClear:
    def test_counts_of_gone_processes_are_forgotten_and_ours_kept(self, tmp_path: Path) -> None:
        folder = tmp_path / "metrics"
        clear_metrics(folder)
        for name in ("counter_999999.db", f"counter_{os.getpid()}.db", "notes.txt"):
            (folder / name).touch()

        clear_metrics(folder)

        assert {path.name for path in folder.iterdir()} == {f"counter_{os.getpid()}.db", "notes.txt"}
