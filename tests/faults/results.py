"""What the tests that ROWS names said when they last ran: kept in a file of the tree, shown as docs/faults.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.faults.rows import ROWS, Row

FILE: Final = Path(__file__).parent / "results.json"
NAMED: Final = frozenset(name for row in ROWS.values() for name in row.tests)


class Result(NamedTuple):
    """One test over all its parameters. `recovery` is the longest time until work went on, seconds; None: not measured."""

    passed: int
    failed: int
    date: str
    seed: int | None
    recovery: float | None


def read() -> dict[str, Result]:
    """Results by test name."""
    return {name: Result(**entry) for name, entry in json.loads(FILE.read_text(encoding="utf-8")).items()}


class Recorder:
    """A pytest plugin: gathers what named tests say, and at the end puts it into FILE beside what other runs said."""

    def __init__(self, date: str, seed: int) -> None:
        self._date, self._seed = date, seed
        self._found: dict[str, list[tuple[bool, float | None]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A call counts; a setup or teardown does when it fails."""
        name = bare(report.nodeid)
        if name in NAMED and (report.when == "call" or report.failed):
            recovery = dict(report.user_properties).get("recovery_seconds")
            self._found.setdefault(name, []).append((report.passed, None if recovery is None else float(str(recovery))))

    def pytest_sessionfinish(self) -> None:
        """Write, sorted, without tests that are named no longer."""
        known: dict[str, Any] = {name: result._asdict() for name, result in read().items() if name in NAMED}
        for name, said in self._found.items():
            times = [seconds for _, seconds in said if seconds is not None]
            known[name] = Result(
                passed=sum(passed for passed, _ in said),
                failed=sum(not passed for passed, _ in said),
                date=self._date,
                seed=self._seed if name.startswith("tests/faults/") else None,
                recovery=max(times) if times else None,
            )._asdict()
        FILE.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def bare(nodeid: str) -> str:
    """The name without parameters."""
    return nodeid.partition("[")[0]


def table() -> str:
    """docs/faults.md's table."""
    results = read()
    lines = [
        "| row | fault or bad input | what counts as survived | outcome | proved by | work went on after |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for number, row in ROWS.items():
        said = [results[name] for name in row.tests if name in results]
        times = [result.recovery for result in said if result.recovery is not None]
        recovery = f"{max(times):.1f} s" if times else "-"
        tests = "<br>".join(f"`{name.removeprefix('tests/')}`" for name in row.tests) or "-"
        lines.append(f"| {number} | {row.fault} | {row.wanted} | {_outcome(row, said)} | {tests} | {recovery} |")
    return "\n".join(lines) + "\n"


def summary() -> str:
    """How many rows stand how."""
    results = read()
    outcomes = [_outcome(row, [results[name] for name in row.tests if name in results]) for row in ROWS.values()]
    proved = sum(outcome.startswith("survived") for outcome in outcomes)
    nearest = sum("not on this machine" in outcome for outcome in outcomes)
    missing = sum(outcome.startswith("not tested yet") for outcome in outcomes)
    failed = sum(outcome == "FAILED" for outcome in outcomes)
    waiting = len(outcomes) - proved - nearest - missing - failed
    return (
        f"Of {len(ROWS)} rows {proved} are survived, {nearest} have the nearest thing tested, {missing} are not tested yet, "
        f"{waiting} were not run yet, {failed} failed.\n"
    )


def _outcome(row: Row, said: list[Result]) -> str:
    if any(result.failed for result in said):
        return "FAILED"
    runs = sum(result.passed for result in said)
    if not row.tests:
        return "not tested yet"
    if len(said) < len(row.tests):
        return f"not run yet ({len(said)} of {len(row.tests)})"
    if row.here:
        return f"not on this machine ({row.here}): the nearest thing is survived, {runs} runs"
    return f"survived, {runs} runs"
