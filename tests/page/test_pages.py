"""Every page, in both languages and both sets of colours: nothing for axe to complain of, no untranslated text, no raw code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.conftest import Watched

PAGES = {
    "desk": "/desk", "wall": "/desk?mode=wall", "phone": "/m", "scenarios": "/scenarios", "scenario": "/scenarios?scenario=smart_community",
    "handover": "/handover",
}  # fmt: skip
HAN = re.compile(r"[\u4e00-\u9fff]")
RAW = re.compile(r"\b[a-z]+_[a-z_]+\b|\b[PODSC]\d\d\b|\bundefined\b|\bnull\b|\bNaN\b|\{\w+\}")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TEXTS = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!parent.closest("[lang]:not(html), code, script, noscript")) found.push(walk.currentNode.textContent);
  }
  for (const node of document.querySelectorAll("[aria-label]:not([data-code]), [title], [placeholder]"))
    if (!node.closest(".name, .chart-box")) found.push(node.ariaLabel ?? node.title ?? node.placeholder);
  return found;
}"""


def loaded(watched: Watched, page: str, lang: str, theme: str) -> Page:
    shown = watched.open(f"{PAGES[page]}{'&' if '?' in PAGES[page] else '?'}theme={theme}", lang=lang)
    # Loading ends when no text says so any more.
    word = {"zh": "载入中", "en": "Loading"}[lang]
    shown.wait_for_function("word => !document.body.innerText.includes(word)", arg=word)
    return shown


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_used_by_everybody_and_speaks_one_language(watched: Watched, page: str, lang: str, theme: str) -> None:
    shown = loaded(watched, page, lang, theme)
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(shown, options=options).response["violations"]
    texts = [text.strip() for text in shown.evaluate(TEXTS) if text and text.strip()]

    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []
    assert [text for text in texts if RAW.search(text)] == []
    if lang == "en":
        assert [text for text in texts if HAN.search(text)] == []
    assert shown.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
    assert len(texts) > 10


def test_the_phone_fits_360_pixels_and_its_actions_are_large(watched: Watched) -> None:
    """Scenario 28 of `view.md`."""
    page = watched.open("/m")
    page.set_viewport_size({"width": 360, "height": 640})
    page.locator(".todo .row").first.click()
    expect(page.locator(".why h2").first).to_be_visible()
    sizes = page.eval_on_selector_all(
        "button:not([hidden]), select, a",
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.width).map(box => box.height)",
    )
    acts = page.eval_on_selector_all(".act", "all => all.map(one => one.getBoundingClientRect().height)")

    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    assert min(sizes) >= 24
    assert min(acts) >= 44


@pytest.mark.parametrize("size", [(3840, 2160), (3840, 1080), (1920, 1080)])
def test_the_wall_shows_all_without_scrolling(watched: Watched, size: tuple[int, int]) -> None:
    """Scenario 29: 27 scenarios, the map and the age of data stand inside the screen, and no number is cut."""
    page = watched.open("/desk?mode=wall")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    expect(page.locator(".scenario-grid li")).to_have_count(27)
    expect(page.locator(".as-of")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    bottom = page.eval_on_selector_all(
        ".figures, .map, .scenario-grid, footer, .age", "all => Math.max(...all.map(one => one.getBoundingClientRect().bottom))"
    )
    cut = page.eval_on_selector_all(
        ".figures strong, .age", "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    )

    assert bottom <= size[1] + 1
    assert cut == 0
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_without_a_token_only_whole_days_and_no_small_count(watched: Watched) -> None:
    """Scenario 21, as the page shows it: no level, no count from 1 to 4 on the map or in the table."""
    page = watched.open("/desk", token=None)
    page.wait_for_selector("svg.map [data-shade]")
    page.wait_for_selector("#areas td.n", state="attached")
    expect(page.locator(".banner.note")).to_be_visible()
    labels = page.eval_on_selector_all("svg.map [data-code]", "all => all.map(one => one.ariaLabel)")
    cells = page.eval_on_selector_all("#areas td.n", "all => all.map(one => one.textContent)")

    assert not [label for label in labels if re.search(r": [1-4] 件", label)]
    assert not [text for text in cells if text in {"1", "2", "3", "4"}]
    assert "＜5 或受保护" in cells
