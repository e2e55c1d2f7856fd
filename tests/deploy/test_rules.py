"""Alerting rules: promtool runs them, and they, their tests, the metrics and the runbook name the same things."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from schemas import metrics
from tests.debian import program

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/prometheus"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def run(*arguments: str) -> str:
    done = subprocess.run([program(arguments[0]), *arguments[1:]], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_finds_every_rule_firing_on_its_fault_and_quiet_otherwise() -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", "rules.test.yml")
    assert f"{len(rules())} rules found" in run("promtool", "check", "rules", "rules.yml")


def test_every_rule_is_tested_both_ways() -> None:
    tests = yaml.safe_load((FOLDER / "rules.test.yml").read_text(encoding="utf-8"))["tests"]
    seen = {(case["alertname"], bool(case.get("exp_alerts"))) for test in tests for case in test["alert_rule_test"]}
    assert seen == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


def test_the_shipped_configurations_are_valid() -> None:
    assert "SUCCESS" in run("promtool", "check", "config", "prometheus.yml")
    assert "SUCCESS" in run("amtool", "check-config", "alertmanager.yml")


def test_rules_ask_for_metrics_that_exist() -> None:
    defined = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
    suffix = {Counter: "_total", Gauge: "", Histogram: "_bucket"}
    known = {metric._name + suffix[type(metric)] for metric in defined}
    asked = {name for rule in rules() for name in re.findall(r"\bcitybrain_\w+", rule["expr"])}
    assert len(asked) > 8
    assert asked - known == set()


def test_every_rule_has_a_page_of_its_runbook() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
        assert f"### {rule['alert']}\n" in page, f"docs/operations.md says nothing of {rule['alert']}"
    assert set(re.findall(r"^### (Citybrain\w+)$", page, re.MULTILINE)) == {rule["alert"] for rule in rules()}
