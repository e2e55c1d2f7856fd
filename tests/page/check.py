"""`make check-page`: Lighthouse over the three pages, phone and desktop, each as the median of runs, against the gates.

A machine that does other things meanwhile measures itself: run it alone. The browser stands for the phone, on which neither the
city nor Lighthouse runs: both give way to it. What stands after `speed` is Lighthouse's benchmarkIndex, how fast the machine was just then;
it also tells how many times slower a phone is than this machine (docs/decisions/0058).
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.page.world import CityProcess

TOOL: Final = Path(__file__).parent / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES: Final = {"desk": "/desk?lang=zh", "wall": "/desk?mode=wall&lang=zh", "phone": "/m?lang=zh"}
CHROME: Final = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
QUIET: Final = "import { Launcher } from 'chrome-launcher'; console.log(JSON.stringify(Launcher.defaultFlags()));"
"""Asks for the switches with which Lighthouse itself starts a browser that does nothing of its own."""
GIVE_WAY: Final = 15
"""Niceness of what is no part of the phone."""
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
LEAST: Final = {"mobile": {"performance": 90}, "desktop": {"performance": 95}}
SHIFT: Final = 0.05
BYTES: Final = 150_000
PHONE_INDEX: Final = 1750 / 4
"""benchmarkIndex of a mid-tier phone: Lighthouse's throttling.md, the middle of the machines for which it means its factor of 4."""
MOST_SLOWDOWN: Final = 4.0
RUN_SECONDS: Final = 180.0
START_SECONDS: Final = 30.0


class Run(NamedTuple):
    """What one run says: scores of 100, layout shift, bytes over the wire; milliseconds to the largest paint and of blocking."""

    scores: dict[str, float]
    shift: float
    bytes: float
    paint: float
    blocked: float
    speed: float
    failed: list[str]


@contextmanager
def browser(folder: Path) -> Iterator[int]:
    """A Chromium that nobody has used; the port it listens to. RuntimeError: there is none, or it does not start."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise RuntimeError("wanted Chromium; `make check-page` brings it")
    asked = ["node", "--input-type=module", "-e", QUIET]
    quiet = json.loads(subprocess.run(asked, cwd=TOOL.parents[3], capture_output=True, text=True, check=True).stdout)
    profile = folder / "profile"
    command = [chromium, *CHROME, *quiet, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            told, until = profile / "DevToolsActivePort", time.monotonic() + START_SECONDS
            while not (told.exists() and told.read_text().strip()):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("Chromium did not say which port it listens to")
                time.sleep(0.1)
            yield int(told.read_text().split()[0])
        finally:
            process.terminate()


def measure(url: str, form: str, slowdown: float) -> Run:
    """One run of Lighthouse; a phone is `slowdown` times slower than this machine. RuntimeError: it gave no result."""
    if not TOOL.exists():
        raise RuntimeError("wanted Lighthouse; `make check-page` brings it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, browser(Path(folder)) as port:
        out = Path(folder) / "report.json"
        command = [
            "nice",
            f"-n{GIVE_WAY}",
            "node",
            str(TOOL),
            url,
            "--quiet",
            "--output=json",
            f"--output-path={out}",
            f"--port={port}",
        ]
        command += [f"--only-categories={','.join(CATEGORIES)}"]
        command += ["--preset=desktop"] if form == "desktop" else [f"--throttling.cpuSlowdownMultiplier={slowdown:.2f}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        if not out.exists():
            raise RuntimeError(f"Lighthouse gave no report: {done.stderr[-800:]}")
        report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    audits = report["audits"]
    wanted = {ref["id"] for name in CATEGORIES[1:] for ref in report["categories"][name]["auditRefs"] if ref["weight"]}
    return Run(
        {name: 100 * (report["categories"][name]["score"] or 0) for name in CATEGORIES},
        audits["cumulative-layout-shift"]["numericValue"],
        audits["total-byte-weight"]["numericValue"],
        audits["largest-contentful-paint"]["numericValue"],
        audits["total-blocking-time"]["numericValue"],
        report["environment"]["benchmarkIndex"],
        sorted(name for name in wanted if audits[name]["score"] is not None and audits[name]["score"] < 1),
    )


def slowdown_here(url: str) -> float:
    """How many times slower a mid-tier phone is than this machine is now."""
    return min(MOST_SLOWDOWN, max(1.0, measure(url, "mobile", MOST_SLOWDOWN).speed / PHONE_INDEX))


def median(runs: list[Run]) -> Run:
    """The median of each figure."""
    scores = {name: statistics.median(run.scores[name] for run in runs) for name in CATEGORIES}
    shift, size, paint, blocked, speed = (
        statistics.median(getattr(run, name) for run in runs) for name in ("shift", "bytes", "paint", "blocked", "speed")
    )
    return Run(scores, shift, size, paint, blocked, speed, sorted({name for run in runs for name in run.failed}))


def misses(run: Run, form: str) -> list[str]:
    """Gates of `view.md` that are not held."""
    least = {"performance": 90, "accessibility": 100, "best-practices": 100} | LEAST[form]
    found = [f"{name} {run.scores[name]:.0f}, wanted {score}" for name, score in least.items() if run.scores[name] < score]
    if run.shift > SHIFT:
        found.append(f"layout shift {run.shift:.3f}, wanted at most {SHIFT}")
    if run.bytes > BYTES:
        found.append(f"first view {run.bytes:.0f} bytes, wanted at most {BYTES}")
    return found + [f"audit {name}" for name in run.failed]


def main() -> None:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=PAGES)
    parser.add_argument("--form", choices=LEAST)
    parser.add_argument(
        "--slowdown", type=float, help=f"a phone is so many times slower; otherwise measured, at most {MOST_SLOWDOWN:.0f}"
    )
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        city = CityProcess(Path(folder) / "clickhouse")
        city.give_way(GIVE_WAY)
        try:
            slowdown = options.slowdown or slowdown_here(f"{city.url}{PAGES['phone']}#token=xcity-duty")
            print(f"a phone is {slowdown:.2f} times slower than this machine", flush=True)
            for page, path in PAGES.items():
                # The wall is no phone, and a phone's page is no desk: each is held to the gates of its own form, too.
                for form in LEAST:
                    if (
                        (options.only or page) != page
                        or (options.form or form) != form
                        or (page == "wall" and form == "mobile")
                    ):
                        continue
                    url = f"{city.url}{path}#token=xcity-duty"
                    run = median([measure(url, form, slowdown) for _ in range(options.runs)])
                    wrong = misses(run, form)
                    bad += len(wrong)
                    told = " ".join(f"{name} {score:.0f}" for name, score in run.scores.items())
                    print(
                        f"{page:6} {form:8} {told} shift {run.shift:.3f} bytes {run.bytes:,.0f} paint {run.paint:.0f} ms blocked {run.blocked:.0f} ms speed {run.speed:.0f} {'; '.join(wrong) or 'ok'}",
                        flush=True,
                    )
        finally:
            city.close()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
