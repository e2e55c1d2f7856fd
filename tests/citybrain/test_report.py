"""The report: its numbers are those of the store, and a person can read it."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from citybrain.audit.report import MOST_EXAMPLES, AuditReport
from citybrain.progress import Progress
from citybrain.report import QUESTIONS, DemoReport, answer_questions, audit_lines, latency_p95, show_report
from sinks.store import Store

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "by_category": [
        {"category": "public_safety", "events": "900", "incidents": "800"},
        {"category": "disputes", "events": "100", "incidents": "50"},
    ],
    "by_class": [{"class": "S01", "zh": "火灾", "en": "fire", "incidents": "1234567"}],
    "by_area": [{"area": "中心镇", "incidents": "20"}],
    "busiest": [{"grid": "150627001001001", "name": "和顺社区第1网格", "incidents": "7"}],
    "rejects": [{"reason": "not_json", "records": "3"}],
    "decided_by": [{"by": "terms", "events": "5"}],
    "located_by": [{"by": "coordinates", "events": "5"}],
    "cases": [
        {
            "cases": "40",
            "closed": "30",
            "accepted_in_1_min": 99.5,
            "arrived_in_5_min": 71.0,
            "disputes": "4",
            "disputes_resolved": 100,
        }
    ],
}
ALERT: dict[str, Any] = {
    "level": 2, "incident_class": "S05", "category": "public_safety", "area_level": "town", "area": "150627001", "observed": 40.0,
    "expected": 1.25, "upper": 4.5, "detector": "ears_c2",
    "started": datetime(2026, 11, 20, 11, tzinfo=UTC), "ended": datetime(2026, 11, 20, 12, tzinfo=UTC),
}  # fmt: skip
PROGRESS = Progress(sent=1_003, stored=990, rejected=3, repeated=10, redelivered=0, blocks=12, behind=0)


def report(audit: AuditReport | None = None, answers: dict[str, list[dict[str, Any]]] | None = None) -> DemoReport:
    bursts = [{"name": "storm", "zh": "暴雨", "incident_class": "S05", "area": "中心镇", "stored": 17}]
    return DemoReport(
        PROGRESS,
        ANSWERS | (answers or {}),
        bursts,
        audit or AuditReport(checked=1_003, seconds=0.5),
        2.0,
        0.4321,
        [ALERT],
        ["storm"],
    )


def shown(told: DemoReport) -> str:
    out = io.StringIO()
    show_report(Console(file=out, width=118), told)
    return out.getvalue()


class TestText:
    def test_everything_asked_for_is_there(self) -> None:
        text = shown(report())

        for part in (
            "1,003 sent, 990 stored, 3 rejected, 10 repeated", "502 events/s", "0.43 s", "public_safety", "火灾", "1,234,567",
            "中心镇", "150627001001001", "not_json", "coordinates", "40 cases, 30 closed", "accepted within 1 min 99.5 %",
            "4 disputes mediated", "burst found: storm 暴雨", "alert level 2: S05 · town 150627001", "1 alerts in all", "17 stored", "CLEAN", "1,003 records checked",
        ):  # fmt: skip
            assert part in text, part

    def test_no_line_is_wider_than_the_page(self) -> None:
        """In columns of a terminal: a Chinese character takes two."""
        for line in shown(report()).splitlines():
            assert len(line) + len(re.findall(r"[\u2e80-\uffef]", line)) <= 118, line

    def test_without_cases_it_says_nothing_about_them(self) -> None:
        assert "disputes mediated" not in shown(report(answers={"cases": [{"cases": "0"}]}))

    def test_an_audit_that_is_not_clean_leaps_to_the_eye(self) -> None:
        audit = AuditReport(checked=5, holes=2, aggregate_differences={"cases": 1, "counts_day": 0})
        audit.example("citybrain.grid", 0, 77, "in no table, and its event is stored nowhere")

        text = shown(report(audit))

        assert "NOT CLEAN" in text
        assert "holes 2" in text
        assert "citybrain.grid[0] offset 77" in text
        assert "no: {'cases': 1}" in text


class TestJson:
    def test_it_has_the_promised_fields(self) -> None:
        told = json.loads(json.dumps(report().to_dict()))

        assert told == {
            "sent": 1_003,
            "stored": 990,
            "rejected": 3,
            "repeated": 10,
            "by_category": {"public_safety": 900, "disputes": 100},
            "audit": {"holes": 0, "twice": 0, "aggregates_equal": True, "clean": True},
            "seconds": 2.0,
            "events_per_second": 502,
            "latency_p95_seconds": 0.432,
            "alerts": 1,
            "bursts_found": ["storm"],
        }

    def test_a_report_of_no_time_divides_nothing(self) -> None:
        assert report()._replace(seconds=0.0).to_dict()["events_per_second"] == 0


class TestAuditLines:
    @pytest.mark.parametrize("fault", ["holes", "twice", "orphans", "ledger_differences"])
    def test_each_fault_alone_is_not_clean(self, fault: str) -> None:
        counted: dict[str, Any] = {fault: 1}
        lines = audit_lines(AuditReport(**counted))

        assert lines[0].startswith("NOT CLEAN")
        assert re.search(rf"\b{fault.replace('_', ' ')} 1\b", "\n".join(lines)), "and it is told which"

    @pytest.mark.parametrize("count", ["repeated", "pending", "not_checkable"])
    def test_what_is_no_fault_is_told_and_clean(self, count: str) -> None:
        counted: dict[str, Any] = {count: 7}
        lines = audit_lines(AuditReport(**counted))

        assert lines[0].startswith("CLEAN")
        assert f"{count.replace('_', ' ')} 7" in "\n".join(lines)

    def test_examples_have_an_end(self) -> None:
        audit = AuditReport(holes=1_000)
        for offset in range(1_000):
            audit.example("citybrain.grid", 0, offset, "gone")

        assert len(audit.examples) == MOST_EXAMPLES
        assert len(audit_lines(audit)) == 13


class TestAnswers:
    def test_every_question_is_answered_from_the_tables(self, store: Store) -> None:
        _store_some(store)

        answers = answer_questions(store.raw)

        assert set(answers) == set(QUESTIONS)
        assert {row["category"]: int(row["events"]) for row in answers["by_category"]} == {
            "public_safety": 3,
            "unclassified": 1,
        }
        assert [(row["class"], int(row["incidents"])) for row in answers["by_class"]] == [("S01", 2)]
        assert answers["by_class"][0]["zh"]
        assert {row["area"]: int(row["incidents"]) for row in answers["by_area"]} == {"中心镇": 1, "not located": 1}
        assert [row["name"] for row in answers["busiest"]] == ["和顺社区第1网格"]
        assert [(row["reason"], int(row["records"])) for row in answers["rejects"]] == [("not_json", 1)]
        assert (int(answers["cases"][0]["cases"]), int(answers["cases"][0]["closed"])) == (1, 1)
        shown(report(answers=answers))

    def test_an_empty_store_gives_a_report_too(self, store: Store) -> None:
        answers = answer_questions(store.raw)

        assert all(rows == [] for name, rows in answers.items() if name != "cases")
        shown(report(answers=answers))

    def test_latency_is_of_what_arrived_since(self, store: Store) -> None:
        _store_some(store)
        ((oldest, newest),) = store.query(
            "SELECT min(toUnixTimestamp64Milli(received_at)), max(toUnixTimestamp64Milli(received_at)) FROM events"
        )

        assert latency_p95(store.raw, oldest) == pytest.approx(2.0, abs=0.2)
        assert latency_p95(store.raw, newest + 1) == 0.0, "nothing arrived since"


def _store_some(store: Store) -> None:
    """Four events (three of one class, one case among them) and a reject."""
    rows = [
        ("1", "S01", "public_safety", "150627001001001", "c1", "reported"),
        ("2", "S01", "public_safety", "150627001001001", "c1", "closed"),
        ("3", "S01", "public_safety", "", "", ""),
        ("4", "U00", "unclassified", "", "", ""),
    ]
    for event, incident_class, category, grid, case, stage in rows:
        store.command(
            "INSERT INTO events (kind, source, id, at, received_at, stored_at, category, incident_class, grid, case_id, stage, source_topic) "
            f"VALUES ('grid', '/t', '{event}', now64(3), now64(3), now64(3) + INTERVAL 2 SECOND, '{category}', '{incident_class}', "
            f"'{grid}', '{case}', '{stage}', 'citybrain.grid')"
        )
    store.command("INSERT INTO rejected (reason, received_at) VALUES ('not_json', now64(3))")
