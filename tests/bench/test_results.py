"""What measurements become: verdicts, growth, a page with every figure."""

from __future__ import annotations

from typing import Any

import pytest

from bench.all import ORDINARY, PARTS, merged, verdicts
from bench.compare import PEERS
from bench.guard import judged
from bench.memory import growth, thinned
from bench.questions import p95, summed
from bench.results import markdown
from bench.scale import within

RATIOS = dict.fromkeys(PEERS, 2.5)
SHORT = {"events_per_second": 90_123, "spread": 0.02, "audit_clean": True}
LATE = {"events": 9_000, "p50": 0.2, "p95": 0.41, "p99": 0.6, "most": 0.9}
RATE = {
    "rate_asked": 1_000, "rate_sent": 999, "seconds_late": LATE, "cpu_seconds": {"work-1": 1.0, "generator": 2.5},
    "generator_us": 31.0, "audit_clean": True,
}  # fmt: skip
SCALED = [
    {"partitions": 1, "workers": 1, "events_per_second": 100_000, "cost_us": 10.0, "audit_clean": True},
    {"partitions": 8, "workers": 2, "events_per_second": 110_000, "cost_us": 11.5, "audit_clean": True},
]
FOUND: dict[str, dict[str, Any]] = {
    "throughput": {
        **SHORT, "events_per_second": 123_456, "cpu_us": {"worker-1": 6.0, "loader": 5.0, "broker": 1.0},
        "ratio_to": {name: ratio for name, ratio in RATIOS.items() if not name.endswith("_ours")},
        "ratio_to_with_our_tables": {"sketch": 2.5, "clickhouse_file": 2.5}, "peers": dict.fromkeys(PEERS, 50000), "failed": {},
        "text_only": SHORT, "one_percent_bad": SHORT | {"share_of_clean": 0.91},
    },
    "latency": {"rates": {"1000": RATE}, "most_with_generator": 40_000, "at_80_percent": RATE},
    "scale": {
        "partitions": SCALED, "partitions_differ": within(SCALED),
        "size": {"rows": [{"bytes": 350, "cost_us": 11.0, "audit_clean": True}], "a_us": 10.1, "b_us_per_byte": 0.002},
    },
    "memory": {"curve": [{"stored": 10, "loader": 300}], "growth": {"loader": 0.01}, "audit_clean": None},
    "history": {
        "backfill": {"records": 102_000_001, "seconds": 800.0, "disk_bytes": 4_000_000_000, "audit_clean": True, "kills": 1},
        "questions": summed({"aggregates": {"town, 24 h": [10.0] * 20}, "single": {"one case": [30.0] * 20}}),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in PARTS:
        found = merged(found, name, FOUND[name])
    return found


def test_the_results_have_the_parts_that_are_promised(results: dict[str, Any]) -> None:
    assert {"throughput", "latency", "scale", "backfill", "questions", "memory", "audit"} <= set(results)
    assert {"bytewax", "quixstreams", "pathway", "arroyo", "faust", "sketch", "clickhouse_file"} == set(
        results["throughput"]["ratio_to"]
    )
    assert {"records", "seconds"} <= set(results["backfill"])
    assert results["questions"]["p95_ms"] == 30.0
    assert "history" not in ORDINARY


def test_a_part_measured_again_leaves_the_others_as_they_were(results: dict[str, Any]) -> None:
    again = merged(results, "memory", FOUND["memory"] | {"growth": {"loader": 0.5}})

    assert again["memory"]["growth"] == {"loader": 0.5}
    assert {name for name in results if again[name] != results[name]} <= {"memory", "machine"}


def test_the_page_shows_every_figure(results: dict[str, Any]) -> None:
    page = markdown(results)

    for figure in ("123,456", "90,123", "91%", "0.41", "40,000", "11.5", "102,000,001", "4.0 GB", "30.0", "+1.0%"):
        assert figure in page, figure
    assert all(f"`{name}`" in page for name in PEERS)
    assert "NOT CLEAN" not in page


def test_one_audit_that_is_not_clean_is_told(results: dict[str, Any]) -> None:
    spoilt = results | {"scale": results["scale"] | {"partitions": [SCALED[0] | {"audit_clean": False}, SCALED[1]]}}

    assert verdicts(spoilt) == {"throughput": True, "latency": True, "scale": False, "memory": None, "backfill": True}
    assert "NOT CLEAN" in markdown(spoilt | {"audit": verdicts(spoilt)})


def test_memory_that_grows_after_the_first_million_is_seen() -> None:
    flat = [{"stored": 100_000 * n, "loader": 300 if n < 10 else 500} for n in range(100)]
    leak = [{"stored": 100_000 * n, "loader": 300 + 5 * n} for n in range(100)]

    assert growth(flat, 1_000_000) == {"loader": 0.0}
    assert growth(leak, 1_000_000)["loader"] == pytest.approx(795 / 400 - 1, abs=1e-3)
    assert thinned(leak)[-1] == leak[-1]


@pytest.mark.parametrize(
    ("median", "verdict"), [(0.49, "slow"), (0.5, "slower"), (0.74, "slower"), (0.75, "fine"), (2.0, "fine")]
)
def test_the_guard_warns_at_three_quarters_and_fails_at_half(median: float, verdict: str) -> None:
    assert judged(median, 1.0) == verdict


def test_p95_is_of_all_times() -> None:
    assert p95([*range(1, 101)]) == pytest.approx(95.05)
