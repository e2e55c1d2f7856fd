"""Each guard is removed in a copy of the tree, and tests have to go red: `python -m tests.faults.mutations [--only NAME]`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
FILE: Final = Path(__file__).parent / "mutations.json"
LEFT_OUT: Final = shutil.ignore_patterns(
    ".venv", ".git", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "citybrain-data", "node_modules"
)
LONGEST_SECONDS: Final = 900.0
"""For the tests of one guard, which wait their time out where the guard is missed."""
AT_ONCE: Final = 4
"""Guards: most of the time is a test's patience with what never comes. Those that take longest stand first."""
TESTS_FAILED: Final = 1
"""pytest's exit code; others mean that the tests did not run."""


class Mutation(NamedTuple):
    """`was` stands once in `file`, and `instead` takes its place. `test` is a test, or several, that has to miss it."""

    guard: str
    file: str
    was: str
    instead: str
    test: str


GUARDS: Final[dict[str, Mutation]] = {
    "topic-id": Mutation(
        "a topic is known by its id, not its name", "streams/worker.py",
        "header = header_of(cooked, partition.topic, topic_id, partition.partition)",
        "header = header_of(cooked, partition.topic, partition.topic, partition.partition)",
        "tests/faults/test_gone.py::test_a_raw_topic_begins_a_new_life",
    ),
    "acknowledge": Mutation(
        "records are acknowledged when their blocks are confirmed", "streams/worker.py",
        "                fetched: Fetched = event.value\n", "                event.ack()\n                fetched: Fetched = event.value\n",
        "tests/faults/test_crash_points.py::test_a_worker_dies_at[fetched-load-1]",
    ),
    "position": Mutation(
        "the loader's position is the ledger", "sinks/loader.py",
        "known = Ledger(self._store).next_offset(topic_id, partition.partition)", "known = consumer.committed(partition)",
        "tests/sinks/test_loader.py::test_a_restart_goes_on_from_the_ledger_whatever_is_committed",
    ),
    "errors": Mutation(
        "an error that is no bad record ends the process", "streams/worker.py",
        '        leave("records not finished; leaving, so that Kafka sends them again", error)\n', "        raise\n",
        "tests/faults/test_crash_points.py::test_a_worker_fails_on_a_block",
    ),
    "gaps": Mutation(
        "offsets inside a batch are no gaps", "streams/transport.py",
        "    def _new_offset(", "    def _no_new_offset(",
        "tests/faults/test_topics.py::test_gaps_of_transactions_do_not_stop_commits",
    ),
    "token": Mutation(
        "an insert has a token", "sinks/store.py",
        'return {**EXACTLY_ONCE, "insert_deduplication_token": token}', "return {**EXACTLY_ONCE}",
        "tests/sinks/test_store.py::TestTokens::test_another_token_is_another_insert",
    ),
    "window": Mutation(
        "a view target remembers tokens", "sinks/sql/0002_views.sql",
        "ORDER BY (incident_class, grid, kind, day)\nSETTINGS non_replicated_deduplication_window = 10000", "ORDER BY (incident_class, grid, kind, day)",
        "tests/sinks/test_store.py::TestTokens::test_the_same_insert_again_changes_nothing_anywhere",
    ),
    "ranges": Mutation(
        "what is covered are ranges, not a mark", "sinks/covered.py",
        "covered: NDArray[np.bool_] = (at >= 0) & (offsets <= np.asarray(self._last)[np.maximum(at, 0)])",
        "covered: NDArray[np.bool_] = (at >= -1) & (offsets <= self._last[-1])",
        "tests/sinks/test_writer.py::test_a_block_that_comes_late_is_not_lost",
    ),
    "topic-life": Mutation(
        "a topic's id is the same before and after the fetch", "streams/raw_log.py",
        "if not now or now != before:", "if not now:",
        "tests/streams/test_raw_log.py::test_a_topic_made_again_is_found_out",
    ),
    "rejects": Mutation(
        "rejects travel in the block", "streams/cook.py", "    if rejects:\n", "    if False:\n",
        "tests/streams/test_cook.py::test_a_bad_record_is_a_row_with_a_reason_and_its_neighbours_are_as_alone",
    ),
    "repeats": Mutation(
        "repeated events are dropped", "sinks/repeats.py",
        "repeat[row] = True", "repeat[row] = False",
        "tests/sinks/test_writer.py::test_a_repeat_is_dropped_after_a_restart_too",
    ),
    "session": Mutation(
        "the session is checked before an insert", "sinks/loader.py",
        "return boot_clock() - self._last_poll < self._broker.session_timeout_ms / 1000", "return True",
        "tests/sinks/test_loader.py::test_records_held_past_the_session_are_dropped",
    ),
}  # fmt: skip


class Verdict(NamedTuple):
    """What became of the tests without the guard. `missed`: no test went red."""

    guard: str
    test: str
    missed: bool
    says: str
    date: str


def try_without(mutation: Mutation, folder: Path) -> Verdict:
    """Run the mutation's tests in a changed copy of the tree in `folder`. RuntimeError when they could not run."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    path = folder / mutation.file
    path.write_text(changed(mutation, path.read_text(encoding="utf-8")), encoding="utf-8")
    # -P and the folder on the path: the copy is imported, by the tests' children too, and not the tree that is installed
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--full", "-p", "no:cacheprovider", mutation.test]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    # before it stands what the tests logged, where lines may begin with ERROR as well
    summary = done.stdout.rpartition("short test summary info")[2]
    said = [line for line in summary.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode not in {0, TESTS_FAILED} or (done.returncode and not any(line.startswith("FAILED") for line in said)):
        message = f"{mutation.guard}: the tests did not run (pytest's exit code {done.returncode}):\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
        raise RuntimeError(message)
    red = done.returncode == TESTS_FAILED
    return Verdict(
        mutation.guard,
        mutation.test,
        not red,
        next(line for line in said if line.startswith("FAILED")).partition(" - ")[2].replace(sys.executable, "python")
        if red
        else "",
        datetime.now(UTC).date().isoformat(),
    )


def changed(mutation: Mutation, text: str) -> str:
    """The file without the guard. ValueError when the guard is not where it was."""
    found = text.count(mutation.was)
    if found != 1:
        message = f"{mutation.file}: {mutation.was!r} stands there {found} times, wanted once: the guard moved, so write its mutation anew"
        raise ValueError(message)
    return text.replace(mutation.was, mutation.instead)


def table() -> str:
    """docs/faults.md's table of guards."""
    known: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    lines = ["| guard | removed from | test | outcome |", "| --- | --- | --- | --- |"]
    for name, mutation in GUARDS.items():
        said = known.get(name)
        outcome = "not run yet" if said is None else "NO TEST MISSES IT" if said["missed"] else "the test fails"
        lines.append(f"| {mutation.guard} | `{mutation.file}` | `{mutation.test.removeprefix('tests/')}` | {outcome} |")
    return "\n".join(lines) + "\n"


def _tried(name: str) -> tuple[str, Verdict, float]:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="citybrain-mutation-") as folder:
        verdict = try_without(GUARDS[name], Path(folder) / "tree")
    return name, verdict, time.monotonic() - started


def main() -> int:
    """Try each guard, note what came of it, and say so; 1 when a guard is not missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(GUARDS), help="one guard; may be given again")
    wanted = parser.parse_args().only or list(GUARDS)
    known: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    missed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for begun in as_completed([pool.submit(_tried, name) for name in wanted]):
            name, verdict, seconds = begun.result()
            missed += verdict.missed
            known[name] = verdict._asdict()
            outcome = "NO TEST MISSES IT" if verdict.missed else f"red: {verdict.says[:120]}"
            kept = {guard: entry for guard, entry in sorted(known.items()) if guard in GUARDS}
            FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{name:12} {seconds:5.0f} s  {outcome}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
