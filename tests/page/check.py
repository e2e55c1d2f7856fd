"""`make check-page`: Lighthouse over the three pages, phone and desktop, each as the median of runs, against the gates.

A machine that does other things meanwhile measures itself: run it alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.page.world import CityProcess

TOOL: Final = Path(__file__).parent / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES: Final = {"desk": "/desk?lang=zh", "wall": "/desk?mode=wall&lang=zh", "phone": "/m?lang=zh"}
CHROME: Final = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"
CATEGORIES: Final = ("performance", "accessibility", "best-practices")
LEAST: Final = {"mobile": {"performance": 90}, "desktop": {"performance": 95}}
SHIFT: Final = 0.05
BYTES: Final = 150_000
RUN_SECONDS: Final = 180.0


class Run(NamedTuple):
    """What one run says: scores of 100, layout shift, bytes over the wire; milliseconds to the largest paint and of blocking."""

    scores: dict[str, float]
    shift: float
    bytes: float
    paint: float
    blocked: float
    failed: list[str]


def measure(url: str, form: str) -> Run:
    """One run of Lighthouse. RuntimeError: it gave no result."""
    chromium = shutil.which("chromium")
    if not chromium or not TOOL.exists():
        raise RuntimeError("wanted Chromium and Lighthouse; `make check-page` brings them")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = ["node", str(TOOL), url, "--quiet", "--output=json", f"--output-path={out}", f"--chrome-flags={CHROME}"]
        command += [f"--only-categories={','.join(CATEGORIES)}", *(["--preset=desktop"] if form == "desktop" else [])]
        done = subprocess.run(
            command,
            env=os.environ | {"CHROME_PATH": chromium},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
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
        sorted(name for name in wanted if audits[name]["score"] is not None and audits[name]["score"] < 1),
    )


def median(runs: list[Run]) -> Run:
    """The median of each figure."""
    scores = {name: statistics.median(run.scores[name] for run in runs) for name in CATEGORIES}
    shift, size, paint, blocked = (
        statistics.median(getattr(run, name) for run in runs) for name in ("shift", "bytes", "paint", "blocked")
    )
    return Run(scores, shift, size, paint, blocked, sorted({name for run in runs for name in run.failed}))


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
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        city = CityProcess(Path(folder) / "clickhouse")
        try:
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
                    run = median([measure(url, form) for _ in range(options.runs)])
                    wrong = misses(run, form)
                    bad += len(wrong)
                    told = " ".join(f"{name} {score:.0f}" for name, score in run.scores.items())
                    print(
                        f"{page:6} {form:8} {told} shift {run.shift:.3f} bytes {run.bytes:,.0f} paint {run.paint:.0f} ms blocked {run.blocked:.0f} ms {'; '.join(wrong) or 'ok'}",
                        flush=True,
                    )
        finally:
            city.close()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
