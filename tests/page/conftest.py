"""A served city and a real headless Chromium. Without Debian's chromium these tests fail; `make tools` brings it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.page.world import CityProcess

SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip

PATIENCE_MS = 90_000
"""Of every expectation: a busy machine is slow, and slow is not wrong."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Its event loop ends with the module: asynchronous tests elsewhere need the thread."""
    program = shutil.which("chromium")
    assert program, "wanted the program chromium; `make tools` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityProcess]:
    """A served city."""
    made = CityProcess(tmp_path_factory.mktemp("page") / "clickhouse")
    yield made
    made.close()


@pytest.fixture
def url(city: CityProcess) -> str:
    """Where the page is served."""
    return city.url


class Watched:
    """A context whose every complaint and every request beyond the origin is kept."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        context.on(
            "request", lambda asked: self.strangers.append(asked.url) if not asked.url.startswith((url, "blob:")) else None
        )

    def forgive(self, *words: str) -> None:
        """Take out what the browser itself says of a refusal or a broken network that a test made."""
        self.complaints = [said for said in self.complaints if not any(word in said for word in words)]

    def open(self, path: str = "/desk", token: str | None = "city-duty", lang: str = "zh", **_: Any) -> Page:  # noqa: S107 - a name
        """A page that has drawn its data."""
        page = self.context.new_page()
        joint = "&" if "?" in path else "?"
        page.goto(f"{self.url}{path}{joint}lang={lang}" + (f"#token=x{token}" if token else ""))
        page.wait_for_selector("body[data-ready=yes]", timeout=PATIENCE_MS)
        return page


@contextmanager
def watching(browser: Browser, url: str, **options: Any) -> Iterator[Watched]:
    """A fresh context; at the end nothing was complained of and nobody else was asked."""
    usual: dict[str, Any] = {"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
    context = browser.new_context(**(usual | options))
    context.set_default_timeout(PATIENCE_MS)
    made = Watched(context, url)
    yield made
    context.close()
    assert made.complaints == []
    assert made.strangers == []


@pytest.fixture
def watched(chromium: Browser, url: str) -> Iterator[Watched]:
    """The usual context."""
    with watching(chromium, url) as made:
        yield made


@pytest.fixture
def desk(watched: Watched) -> Page:
    """The duty desk, signed in, its map painted."""
    page = watched.open()
    page.wait_for_selector("svg.map [data-shade]")
    return page
