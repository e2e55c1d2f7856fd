"""How much a first view costs, in bytes: gates of `view.md`, section 5."""

from __future__ import annotations

import re

import pytest

from tests.page.conftest import Watched
from view.page.files import Files

SCRIPTS = 60_000
FIRST_VIEW = 150_000
CHARTS_AT_ONCE = {"wall"}
"""Pages whose first view has charts; elsewhere the library comes when a chart comes into view."""


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


@pytest.mark.parametrize("page", ["desk", "wall", "phone", "handover", "scenarios"])
def test_scripts_and_styles_before_anything_is_done(files: Files, page: str) -> None:
    names = set(re.findall(rf"{files.root}/([\w./]+\.(?:js|css))", files.shell(page).decode())) - {"pages/old_browser.js"}
    sizes = {name: len(files.known[name].content.brotli or files.known[name].content.body) for name in names}
    charts = len(files.known["lib/uplot.js"].content.brotli or b"")
    print(f"{page}: {sum(sizes.values()):,} bytes in {len(sizes)} files, charts {charts:,} more")

    assert len(sizes) > 20
    assert charts > 10_000
    assert sum(sizes.values()) <= SCRIPTS
    if page in CHARTS_AT_ONCE:
        assert sum(sizes.values()) + charts <= SCRIPTS + 5000


@pytest.mark.parametrize("path", ["/desk", "/desk?mode=wall", "/m"])
def test_the_first_view_over_the_wire(watched: Watched, url: str, path: str) -> None:
    """Everything that is sent until the page has drawn its data, headers too, but the stream that stays open."""
    page = watched.context.new_page()
    session = watched.context.new_cdp_session(page)
    session.send("Network.enable")
    sent: list[float] = []
    session.on("Network.loadingFinished", lambda done: sent.append(done["encodedDataLength"]))
    page.goto(f"{url}{path}{'&' if '?' in path else '?'}lang=zh#token=xcity-duty")
    page.wait_for_selector("body[data-ready=yes]")
    page.wait_for_function("() => !document.body.innerText.includes('载入中')")
    page.wait_for_timeout(1000)
    print(f"{path}: {sum(sent):,.0f} bytes in {len(sent)} answers")

    assert len(sent) > 30
    assert sum(sent) <= FIRST_VIEW


def test_scripts_keep_their_lines_and_lose_only_comments(files: Files) -> None:
    """So that a complaint of a browser names the line of the source; what is left out is comment from its first sign to its last."""
    for name in (one for one in files.known if one.endswith(".js") and not one.startswith("lib/")):
        source = (files._folder / name).read_text(encoding="utf-8").splitlines()
        sent = files.known[name].content.body.decode().splitlines()
        assert len(sent) == len(source), name
        lost = [line.strip() for line, kept in zip(source, sent, strict=True) if line != kept]
        assert all(line.startswith(("/**", "*")) for line in lost), name
        assert all(line.endswith("*/") for line in lost if "*/" in line), name
        assert any(lost), name
