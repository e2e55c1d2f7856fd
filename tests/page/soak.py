"""`make soak-page`: an open desk over a city that changes each second: memory, nodes and listeners must not grow with time."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.page.conftest import SWITCHES
from tests.page.world import CityProcess, alert_of
from tests.view.world import SECRETS, incident

MOST_HEAP: Final = 1.2
SLACK_NODES: Final = 400
"""Rows of lists that come and go: the alert list and the case list hold so many more at most."""
SLACK_LISTENERS: Final = 200
WARM_SECONDS: Final = 30.0
LONG_WARM_SECONDS: Final = 240.0
"""Of a run of minutes: by then the browser has compiled what is used, and its own lists of requests and paints, some hundred
entries each, are full."""
LOOKS: Final = 10
"""What is in flight at one look is not at another, and a leak is there at all of them: the smallest counts."""
LOOK_SECONDS: Final = 1.0
GRIDS: Final = tuple(f"15062700100100{n}" for n in range(1, 7))


class Measured(NamedTuple):
    """What the browser says after a collection of garbage."""

    heap: float
    nodes: float
    listeners: float


def measure(session: CDPSession) -> Measured:
    """Collect garbage, then ask."""
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: float(one["value"]) for one in session.send("Performance.getMetrics")["metrics"]}
    return Measured(found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"])


def steady(page: Page, session: CDPSession) -> Measured:
    """The smallest of some looks at a page that nobody changes."""
    looks = []
    for _ in range(LOOKS):
        page.wait_for_timeout(LOOK_SECONDS * 1000)
        looks.append(measure(session))
    return Measured(*(min(column) for column in zip(*looks, strict=True)))


def soak(browser: Browser, city: CityProcess, seconds: float, *, say: bool = False) -> tuple[Measured, Measured, int]:
    """Before and after, and how many changes came meanwhile."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.goto(f"{city.url}/desk?lang=zh#token=x{next(iter(SECRETS))}")
    page.wait_for_selector("#areas tbody tr", timeout=90_000)
    page.wait_for_function("() => !document.body.innerText.includes('载入中')", timeout=90_000)
    page.locator(".charts").scroll_into_view_if_needed()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    _live(page, city, LONG_WARM_SECONDS if seconds > LONG_WARM_SECONDS else WARM_SECONDS, "warm")
    before = steady(page, session)
    changes, done = 0, time.monotonic() + seconds
    while (rest := done - time.monotonic()) > 0:
        changes += _live(page, city, min(60.0, rest), f"s{changes}")
        if say:
            now = measure(session)
            print(
                f"{changes:5} changes, heap {now.heap / 1e6:.2f} MB, {now.nodes:.0f} nodes, {now.listeners:.0f} listeners",
                flush=True,
            )
    after = steady(page, session)
    context.close()
    return before, after, changes


def _live(page: Page, city: CityProcess, seconds: float, name: str) -> int:
    """Change the city about once a second; the reader opens and closes what there is to open."""
    number, done = 0, time.monotonic() + seconds
    while time.monotonic() < done:
        now = datetime.now(UTC)
        city.write("police", [incident(f"{name}-{number}-{at}", grid, now) for at, grid in enumerate(GRIDS)])
        if number % 10 == 0:
            city.tell(alert_of(GRIDS[number // 10 % len(GRIDS)], 2 + number // 10 % 3, now))
            _open_first(page)
            page.wait_for_timeout(300)
            page.keyboard.press("Escape")
        number += 1
        page.wait_for_timeout(700)
    return number


def _open_first(page: Page) -> None:
    """The evidence of the first alert; more than a dozen, as there are after an hour, are grouped and closed."""
    page.locator(".alerts .evidence, .alerts summary").first.wait_for()
    if not page.locator(".alerts .evidence").count():
        page.locator(".alerts summary").first.click()
    page.locator(".alerts .evidence").first.click()


def misses(before: Measured, after: Measured, once: float = 0.0) -> list[str]:
    """What has grown. `once`: bytes of heap that a page takes when it does things for the first time, which a short run sees."""
    found = []
    if after.heap > before.heap * MOST_HEAP + once:
        found.append(f"heap {before.heap / 1e6:.2f} -> {after.heap / 1e6:.2f} MB")
    if after.nodes > before.nodes + SLACK_NODES:
        found.append(f"nodes {before.nodes:.0f} -> {after.nodes:.0f}")
    if after.listeners > before.listeners + SLACK_LISTENERS:
        found.append(f"listeners {before.listeners:.0f} -> {after.listeners:.0f}")
    return found


def main() -> None:
    """Soak and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    program = shutil.which("chromium")
    if not program:
        raise SystemExit("wanted the program chromium; `make tools` installs it")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        city = CityProcess(Path(folder) / "clickhouse")
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        try:
            before, after, changes = soak(browser, city, options.minutes * 60, say=True)
        finally:
            browser.close()
            city.close()
    print(f"{options.minutes:g} minutes, {changes} changes: {before} -> {after}")
    if grown := misses(before, after):
        raise SystemExit("; ".join(grown))


if __name__ == "__main__":
    main()
