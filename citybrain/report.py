"""The report at the end of a demo: numbers from SQL, then text a person enjoys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from citybrain.audit.report import AuditReport
from citybrain.progress import Progress

Query = Callable[[str, str], bytes]
MOST_ALERTS: Final = 10
"""Newest alerts that are printed."""
QUESTIONS: Final[dict[str, str]] = {
    "by_category": "SELECT c.category AS category, sum(events) AS events, sum(incidents) AS incidents FROM counts_day "
    "LEFT JOIN (SELECT * FROM classes FINAL) AS c USING incident_class GROUP BY category ORDER BY events DESC",
    "by_class": "SELECT incident_class AS class, any(c.zh) AS zh, any(c.en) AS en, sum(incidents) AS incidents FROM counts_day "
    "LEFT JOIN (SELECT * FROM classes FINAL) AS c USING incident_class WHERE incident_class != 'U00' "
    "GROUP BY incident_class ORDER BY incidents DESC LIMIT 12",
    "by_area": "SELECT if(n.name = '', if(town = '', 'not located', town), n.name) AS area, sum(incidents) AS incidents FROM "
    "(SELECT substring(grid, 1, 9) AS town, incidents FROM counts_day WHERE incident_class != 'U00') AS d "
    "LEFT JOIN (SELECT code, name FROM areas FINAL WHERE level = 'town') AS n ON n.code = d.town "
    "GROUP BY area ORDER BY incidents DESC LIMIT 10",
    "busiest": "SELECT grid, any(n.name) AS name, sum(incidents) AS incidents FROM counts_day "
    "LEFT JOIN (SELECT code, name FROM areas FINAL WHERE level = 'grid') AS n ON n.code = grid "
    "WHERE grid != '' AND incident_class != 'U00' GROUP BY grid ORDER BY incidents DESC LIMIT 5",
    "rejects": "SELECT reason, count() AS records FROM rejected GROUP BY reason ORDER BY records DESC",
    "decided_by": "SELECT classified_by AS by, count() AS events FROM events GROUP BY by ORDER BY events DESC",
    "located_by": "SELECT located_by AS by, count() AS events FROM events GROUP BY by ORDER BY events DESC",
    "cases": "SELECT count() AS cases, countIf(closed IS NOT NULL) AS closed, "
    "round(100 * countIf(dateDiff('second', reported, accepted) <= 60) / countIf(accepted IS NOT NULL), 1) AS accepted_in_1_min, "
    "round(100 * countIf(dateDiff('second', dispatched, arrived) <= 300) / countIf(arrived IS NOT NULL), 1) AS arrived_in_5_min, "
    "countIf(mediation > 0) AS disputes, round(100 * countIf(mediation > 0 AND resolved IS NOT NULL) / countIf(mediation > 0), 1) "
    "AS disputes_resolved FROM v_cases",
}


class DemoReport(NamedTuple):
    """Everything a demo ends with. `latency_p95_seconds`: stored_at minus Kafka's append time.

    `alerts`: all of the watch; `bursts_found`: names of planted bursts that an alert tells of.
    """

    progress: Progress
    answers: dict[str, list[dict[str, Any]]]
    bursts: list[dict[str, Any]]
    audit: AuditReport
    seconds: float
    latency_p95_seconds: float
    alerts: list[dict[str, Any]]
    bursts_found: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "sent": self.progress.sent,
            "stored": self.progress.stored,
            "rejected": self.progress.rejected,
            "repeated": self.progress.repeated,
            "by_category": {row["category"]: int(row["events"]) for row in self.answers["by_category"]},
            "audit": {
                "holes": self.audit.holes,
                "twice": self.audit.twice,
                "aggregates_equal": self.audit.aggregates_equal,
                "clean": self.audit.clean,
            },
            "seconds": round(self.seconds, 2),
            "events_per_second": round(self.progress.sent / self.seconds) if self.seconds else 0,
            "latency_p95_seconds": round(self.latency_p95_seconds, 3),
            "alerts": len(self.alerts),
            "bursts_found": self.bursts_found,
        }


def answer_questions(query: Query) -> dict[str, list[dict[str, Any]]]:
    """Every question of the report, answered from the aggregates."""
    return {name: [json.loads(line) for line in query(sql, "JSONEachRow").splitlines()] for name, sql in QUESTIONS.items()}


def latency_p95(query: Query, since_ms: int) -> float:
    """95th percentile of stored_at - received_at over records that arrived since then, seconds; 0 without any."""
    sql = (
        "SELECT ifNotFinite(quantile(0.95)(toUnixTimestamp64Milli(stored_at) - toUnixTimestamp64Milli(received_at)), 0) AS p "
        f"FROM events WHERE toUnixTimestamp64Milli(received_at) >= {since_ms}"
    )
    return float(query(sql, "TSV")) / 1000


def audit_lines(audit: AuditReport) -> list[str]:
    """The audit as text."""
    differ = {table: number for table, number in audit.aggregate_differences.items() if number}
    lines = [
        f"{'CLEAN' if audit.clean else 'NOT CLEAN'}: {audit.checked:,} records checked in {audit.seconds:.1f} s",
        f"holes {audit.holes:,} · twice {audit.twice:,} · orphans {audit.orphans:,} · repeated {audit.repeated:,} · "
        f"pending {audit.pending:,} · not checkable {audit.not_checkable:,}",
        f"aggregates equal a recount: {'yes, every bucket' if audit.aggregates_equal else f'no: {differ}'}",
    ]
    if audit.ledger_differences:
        lines.append(f"ledger differences {audit.ledger_differences:,}: topics whose rows are not what the ledger says")
    lines += [f"  {e['topic']}[{e['partition']}] offset {e['offset']}: {e['what']}" for e in audit.examples[:10]]
    return lines


def show_report(console: Console, report: DemoReport) -> None:
    """Print the report."""
    done, answers = report.progress, report.answers
    console.rule("[bold]City brain · 一张图一张网")
    rate = done.sent / report.seconds if report.seconds else 0
    console.print(
        f"{done.sent:,} sent, {done.stored:,} stored, {done.rejected:,} rejected, {done.repeated:,} repeated "
        f"in {report.seconds:.1f} s: [bold]{rate:,.0f} events/s[/] · {done.blocks:,} blocks · "
        f"p95 from Kafka to stored [bold]{report.latency_p95_seconds:.2f} s[/]"
    )
    console.print(_side_by_side(
        _table("Risk categories", answers["by_category"], ("category", "events", "incidents")),
        _table("Rejected, by reason", answers["rejects"], ("reason", "records")),
    ))  # fmt: skip
    console.print(_table("Incident classes", answers["by_class"], ("class", "zh", "en", "incidents")))
    console.print(_side_by_side(
        _table("Areas", answers["by_area"], ("area", "incidents")),
        _table("Busiest grids", answers["busiest"], ("grid", "name", "incidents")),
    ))  # fmt: skip
    console.print(_side_by_side(
        _table("Classified by", answers["decided_by"], ("by", "events")),
        _table("Located by", answers["located_by"], ("by", "events")),
    ))  # fmt: skip
    (cases,) = answers["cases"]
    if int(cases["cases"]):
        console.print(
            f"{int(cases['cases']):,} cases, {int(cases['closed']):,} closed · accepted within 1 min {cases['accepted_in_1_min']} % · "
            f"arrived within 5 min {cases['arrived_in_5_min']} % · {int(cases['disputes']):,} disputes mediated, "
            f"{cases['disputes_resolved']} % resolved"
        )
    _show_alerts(console, report)
    lines: list[RenderableType] = list(audit_lines(report.audit))
    console.print(
        Panel(Group(*lines), title="Audit: nothing lost, nothing twice", border_style="green" if report.audit.clean else "red")
    )


def _show_alerts(console: Console, report: DemoReport) -> None:
    for burst in report.bursts:
        told = "[green]found[/]" if burst["name"] in report.bursts_found else "[red]not found[/]"
        console.print(
            f"burst {told}: {burst['name']} {burst['zh']} · {burst['incident_class']} · {burst['area']} · {burst['stored']} stored"
        )
    for alert in report.alerts[-MOST_ALERTS:]:
        console.print(
            f"alert level {alert['level']}: {alert['incident_class'] or alert['category']} · {alert['area_level']} {alert['area']} · "
            f"{alert['started']:%Y-%m-%d %H:%M} to {alert['ended']:%H:%M} UTC · observed {alert['observed']:g}, "
            f"expected {alert['expected']:.2g}, bound {alert['upper']:.2g} · {alert['detector']}"
        )
    console.print(f"{len(report.alerts)} alerts in all")


def _table(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in {"events", "incidents", "records"} else "left")
    for row in rows:
        table.add_row(*(f"{int(row[c]):,}" if c in {"events", "incidents", "records"} else str(row[c]) for c in columns))
    return table


def _side_by_side(*tables: Table) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_row(*tables)
    return grid
