"""The results as a page. Pure: a dictionary in, Markdown out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

JSON: Final = "results.json"
MARKDOWN: Final = "RESULTS.md"
GOALS: Final[dict[str, float]] = {"sketch": 1.1, "bytewax": 2.5, "faust": 10, "clickhouse_file": 0.35}
"""Ratios of City brain's events a second to a peer's that are wanted."""
Row = Iterable[object]


def markdown(results: dict[str, Any]) -> str:
    """The whole page."""
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    parts = [
        "# Results",
        "Written by `make bench` and `make bench-history`; what each figure means is in [docs/performance.md](../docs/performance.md).\n"
        "Only ratios within one run compare between machines.",
        f"Machine and versions: {machine}.",
    ]
    for name, write in SECTIONS.items():
        if name in results:
            parts += [f"## {name.capitalize()}", write(results[name]), _measured(results[name])]
    parts += ["## Audit", _table(("part", "verdict"), [(name, _verdict(said)) for name, said in results["audit"].items()])]
    return "\n\n".join(parts) + "\n"


def _throughput(found: dict[str, Any]) -> str:
    rows: list[Row] = [
        ("City brain, mixed traffic", found["events_per_second"], f"{found['spread']:.1%}", "", ""),
        ("City brain, texts only", found["text_only"]["events_per_second"], f"{found['text_only']['spread']:.1%}", "", ""),
    ]
    bad = found["one_percent_bad"]
    share = f"{bad['share_of_clean']:.0%} of clean"
    rows.append(("City brain, 1 % bad records", bad["events_per_second"], f"{bad['spread']:.1%}", share, "at least 85 %"))
    ratios = found["ratio_to"] | {f"{name}_ours": ratio for name, ratio in found["ratio_to_with_our_tables"].items()}
    for name, rate in found["peers"].items():
        goal = f"at least {GOALS[name]:g}" if name in GOALS else ""
        rows.append((f"`{name}`", rate, "", f"City brain is {ratios[name]:.2f} x", goal))
    cost = ", ".join(f"{name} {micros:.1f}" for name, micros in found["cpu_us"].items())
    failed = [f"`{name}` failed: {reason.splitlines()[0]}" for name, reason in found["failed"].items()]
    table = _table(("what", "events/s", "spread", "ratio", "wanted"), rows)
    return "\n\n".join([table, f"Processor time, microseconds an event: {cost}.", *failed])


def _latency(found: dict[str, Any]) -> str:
    runs = [*found["rates"].values(), found["at_80_percent"]]
    rows = [
        (
            run["rate_asked"], run["rate_sent"], *(run["seconds_late"][name] for name in ("p50", "p95", "p99", "most")),
            run["cpu_seconds"]["generator"], run["generator_us"], _verdict(run["audit_clean"]),
        )
        for run in runs
    ]  # fmt: skip
    head = ("asked/s", "sent/s", "p50 s", "p95 s", "p99 s", "most s", "generator, processor s", "us an event", "audit")
    told = (
        "Seconds from the broker's append to the row in the store, the generator on the same cores. The last row is 80 % of "
        f"{found['most_with_generator']:,}/s: the cores over the processor time an event of generator, broker, worker and loader."
    )
    return f"{told}\n\n{_table(head, rows)}"


def _scale(found: dict[str, Any]) -> str:
    head = ("partitions", "workers", "events/s", "cost us", "audit")
    rows = [
        (row["partitions"], row["workers"], row["events_per_second"], row["cost_us"], _verdict(row["audit_clean"]))
        for row in found["partitions"]
    ]
    size = found["size"]
    lengths = _table(
        ("bytes", "cost us", "audit"), [(r["bytes"], r["cost_us"], _verdict(r["audit_clean"])) for r in size["rows"]]
    )
    line = f"Cost of an event = {size['a_us']} us + {size['b_us_per_byte'] * 1000:.2f} us x kilobytes."
    return "\n\n".join([_table(head, rows), f"Costs differ by {found['partitions_differ']:.0%}; wanted: 20 %.", lengths, line])


def _memory(found: dict[str, Any]) -> str:
    rows = [(sample["stored"], *(value for name, value in sample.items() if name != "stored")) for sample in found["curve"]]
    head = ("events stored", *(f"{name} MiB" for name in found["curve"][-1] if name != "stored"))
    grown = ", ".join(f"{name} {share:+.1%}" for name, share in found["growth"].items())
    return f"{_table(head, rows)}\n\nGrowth after the first million: {grown}."


def _backfill(found: dict[str, Any]) -> str:
    return (
        f"{found['records']:,} records in {found['seconds']:,.0f} s, {found['records'] / found['seconds']:,.0f} a second; "
        f"{found['disk_bytes'] / 1e9:.1f} GB on disk; kills on the way: {found.get('kills', 0)}; audit: {_verdict(found['audit_clean'])}."
    )


def _questions(found: dict[str, Any]) -> str:
    rows = [(f"`{name}`", f"{p95:.1f}", group) for group, named in found["by_group"].items() for name, p95 in named.items()]
    worst = ", ".join(f"{name} {value:.1f} ms" for name, value in found["worst_ms"].items())
    return f"p95 of all: {found['p95_ms']:.1f} ms; worst p95: {worst}.\n\n{_table(('question', 'p95 ms', 'group'), rows)}"


SECTIONS: Final = {
    "throughput": _throughput,
    "latency": _latency,
    "scale": _scale,
    "memory": _memory,
    "backfill": _backfill,
    "questions": _questions,
}


def _measured(found: dict[str, Any]) -> str:
    told = found["measured"]
    return f"Commit {told['commit']}, {told['at']}, load before {told['load']}, scratch files on {told['scratch']}."


def _verdict(said: object) -> str:
    return {True: "clean", False: "NOT CLEAN"}.get(said, "not audited") if isinstance(said, bool) else "not audited"


def _table(head: Row, rows: Iterable[Row]) -> str:
    names = [str(name) for name in head]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)
