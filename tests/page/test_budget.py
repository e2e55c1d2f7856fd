"""How much a first view costs, in bytes: gates of `view.md`, section 5."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.page.conftest import Watched
from view.page.files import HERE, IMPORT, Files, joined

SCRIPTS = 60_000
FIRST_VIEW = 150_000
LATER = re.compile(r'await import\("(\.[^"]+)"\)')
BY_HAND = {"panels/sign_in.js", "base/words_en.js"}
"""Asked for when somebody signs in, and the other language. The library of charts comes when a chart comes into view."""


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


@pytest.mark.parametrize("page", ["desk", "wall", "phone", "handover", "scenarios"])
def test_scripts_and_styles_before_anything_is_done(files: Files, page: str) -> None:
    at_once = set(re.findall(rf"{files.root}/([\w./]+\.(?:js|css))", files.shell(page).decode())) - {"pages/old_browser.js"}
    names = list(at_once)
    for name in names:  # what a module brings after the first paint, by itself, counts as well
        code = files.known[name].content.body.decode()
        asked = {joined(Path(name).parent, one) for one in [*LATER.findall(code), *IMPORT.findall(code)]}
        names += asked - BY_HAND - set(names)
    sizes = {name: len(files.known[name].content.brotli or files.known[name].content.body) for name in names}
    print(f"{page}: {sum(sizes.values()):,} bytes in {len(sizes)} files, {len(at_once)} of them named by the shell")

    assert len(at_once) > 20
    assert {"base/words_zh.js", "model/live.js"} <= sizes.keys()
    assert "lib/uplot.js" not in sizes
    assert sum(sizes.values()) <= SCRIPTS


def test_the_wall_needs_no_library_of_charts(watched: Watched) -> None:
    """Its charts are all in view at once, and drawn by our own few lines."""
    asked: list[str] = []
    watched.context.on("request", lambda request: asked.append(request.url))
    page = watched.open("/desk?mode=wall")
    page.wait_for_function("() => document.querySelectorAll('.small-chart .observed').length === 6")

    assert any(url.endswith("/pages/wall.js") for url in asked)
    assert [url for url in asked if "uplot" in url] == []


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
        source = (HERE / name).read_text(encoding="utf-8").splitlines()
        sent = files.known[name].content.body.decode().splitlines()
        assert len(sent) == len(source), name
        lost = [line.strip() for line, kept in zip(source, sent, strict=True) if line != kept]
        assert all(line.startswith(("/**", "*")) for line in lost), name
        assert all(line.endswith("*/") for line in lost if "*/" in line), name
        assert any(lost), name
