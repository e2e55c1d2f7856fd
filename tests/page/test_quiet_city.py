"""A city where little happens and one source is silent; and the same city in the second when everything is alarmed."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from ingest.city import build_city
from tests.page.asking import api, rows, shades
from tests.page.conftest import Watched, watching
from tests.page.world import CityProcess, alert_of, build_quiet_world

STORM = 200
CLICK = """name => new Promise(done => {
  const one = [...document.querySelectorAll('.filters button')].find(button => button.textContent === name);
  const began = performance.now();
  one.click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
})"""
"""Milliseconds from a click until its frame is painted."""
WATCH = """() => {
  window.storm = [];
  new MutationObserver(() => window.storm.push(performance.now())).observe(document.querySelector('[data-figure="alerts"]'), { childList: true, characterData: true, subtree: true });
}"""
"""When the number of alerts changed."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityProcess]:
    made = CityProcess(tmp_path_factory.mktemp("quiet") / "clickhouse", build_quiet_world)
    yield made
    made.close()


@pytest.fixture
def seen(chromium: Browser, quiet: CityProcess) -> Iterator[Watched]:
    with watching(chromium, quiet.url) as made:
        yield made


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_dead_source_is_named_and_its_categories_are_hatched_not_zero(seen: Watched, quiet: CityProcess, lang: str) -> None:
    """Scenario 23 of `view.md`."""
    page = seen.open("/desk?window=6h&cat=disputes", lang=lang)
    page.wait_for_selector("svg.map [data-shade]")
    state = api(quiet.url, "/state", window="6h")
    column = state["categories"].index("disputes")
    assert {row[column] for row in state["n"]} == {None}, "the API does not know, so it says so"
    expect(page.locator(".banner.partial")).to_contain_text({"zh": "110", "en": "110"}[lang])
    expect(page.locator(".banner.partial")).to_contain_text({"zh": "社会矛盾纠纷", "en": "Disputes"}[lang])
    expect(page.locator('[data-figure="sources"]')).to_have_text("1/3")

    assert set(shades(page).values()) == {"none"}
    word = {"zh": "无数据", "en": "No data"}[lang]
    assert {row[2] for row in rows(page).values()} == {word}
    assert "0" not in {row[2 + 1 + column] for row in rows(page).values()}
    assert "url(" in page.locator("svg.map [data-shade]").first.evaluate("node => getComputedStyle(node).fill")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_hour_without_incidents_is_told_in_words(seen: Watched, lang: str) -> None:
    """Scenario 24 of `view.md`: and no alert is told in words, too."""
    page = seen.open("/desk?window=1h", lang=lang)
    page.wait_for_selector("svg.map [data-shade]")
    expect(page.locator(".empty")).to_contain_text(
        {"zh": "本时段无事件（数据源 1/3 正常）", "en": "No incidents in this period (sources 1/3 well)"}[lang]
    )
    expect(page.locator(".alert-panel")).to_contain_text({"zh": "没有未结束的预警", "en": "No open alerts"}[lang])

    assert len(shades(page)) == 245


def test_two_hundred_alerts_in_a_second_are_grouped_and_the_page_answers(seen: Watched, quiet: CityProcess) -> None:
    """Scenario 18: groups stay closed, the reader's click is painted within 200 ms, who listens is told once in ten seconds."""
    page = seen.open("/desk")
    expect(page.locator(".alert-panel")).to_contain_text("没有未结束的预警")
    calm = statistics.median(_clicks(page))
    grids = [grid.code for grid in build_city(1).places.grids][:STORM]
    now = datetime.now(UTC)
    # What came while the line was broken comes in one second when it is back.
    seen.context.set_offline(offline=True)
    expect(page.locator(".age")).to_have_attribute("data-link", "closed")
    quiet.storm([alert_of(grid, 2 + at % 3, now) for at, grid in enumerate(grids)])
    page.evaluate(WATCH)
    seen.context.set_offline(offline=False)
    page.wait_for_function("() => document.querySelector('[data-figure=\"alerts\"]').textContent !== '0'")
    took = _clicks(page)
    expect(page.locator('[data-figure="alerts"]')).to_have_text(str(STORM))
    took += _clicks(page)
    seen.forgive("ERR_INTERNET_DISCONNECTED")
    spread = float(page.evaluate("() => window.storm.at(-1) - window.storm[0]"))
    print(
        f"all in {spread:.0f} ms; click to frame, ms: calm {calm:.0f}, median {statistics.median(took):.0f}, most {max(took):.0f}"
    )

    assert spread < 1000
    # On a machine that is busy with other things the calm page is what the busy one is held to.
    assert statistics.median(took) < max(200, 1.5 * calm)
    assert page.locator(".alert-panel details").count() > 1
    assert page.locator(".alert-panel details[open]").count() == 0
    assert page.locator(".alert-panel li.alert").count() == 0
    assert int(page.locator('[data-live="polite"]').get_attribute("data-times") or "0") <= 1
    page.locator(".alert-panel summary").first.click()
    expect(page.locator(".alert-panel details[open] li.alert").first).to_be_visible()


def _clicks(page: Page) -> list[float]:
    names = ["公共安全", "社会治安", "社会矛盾纠纷", "全部"]
    return [float(page.evaluate(CLICK, name)) for name in names]
