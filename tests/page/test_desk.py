"""The duty desk in a real browser: what it shows is what the API says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.page.asking import api, numbers, rows, shades
from tests.page.conftest import Watched
from tests.page.world import RED, TOWN, CityProcess

MOVED = """() => {
  window.moved = 0;
  new MutationObserver(changes => window.moved += changes.length).observe(document.querySelector('#areas tbody'), { childList: true });
}"""
"""How often rows were taken out or put in."""


def test_first_paint_shows_every_grid_with_its_level(desk: Page, url: str) -> None:
    """Scenarios 1, 2, 3: the fixture holds that nobody else is asked and nothing is complained of."""
    state = api(url, "/state")
    worst = [max(one for one in row if one is not None) for row in state["level"]]

    assert len(shades(desk)) == 245
    assert shades(desk) == {code: str(level) for code, level in zip(state["areas"], worst, strict=True)}
    assert shades(desk)[RED] == "4"


def test_the_table_says_what_the_map_and_the_store_say(desk: Page, url: str, city: CityProcess) -> None:
    expect(desk.locator("#areas tbody tr")).to_have_count(245)
    shown = {code: numbers(row) for code, row in rows(desk).items()}
    state = api(url, "/state")
    ((stored,),) = city.rows(
        "SELECT sum(incidents) FROM counts_minute WHERE minute >= parseDateTimeBestEffort({start:String}) "
        "AND minute < parseDateTimeBestEffort({end:String}) AND grid != ''",
        {"start": state["window"]["start"], "end": state["window"]["end"]},
    )

    assert shown == {code: [sum(n), *n] for code, n in zip(state["areas"], state["n"], strict=True)}
    assert sum(total for total, *_ in shown.values() if total) == stored
    levels = {code: row[1][0] for code, row in rows(desk).items()}
    assert levels == shades(desk)


def test_a_category_filters_map_table_and_trend_together(desk: Page, url: str) -> None:
    """Scenario 4 of `view.md`; rows of the table stand where they stood, as putting 245 in again costs a tenth of a second."""
    rows(desk)
    desk.evaluate(MOVED)
    desk.get_by_role("group", name="类别").get_by_role("button", name="网络安全").click()
    expect(desk.locator(f'#areas tr[data-code="{RED}"] td:nth-of-type(2)')).to_have_text("0 无异常")
    state = api(url, "/state")
    column = state["categories"].index("cyber")

    assert shades(desk) == {code: str(row[column]) for code, row in zip(state["areas"], state["level"], strict=True)}
    assert {code: numbers(row)[0] for code, row in rows(desk).items()} == {
        code: n[column] for code, n in zip(state["areas"], state["n"], strict=True)
    }
    assert desk.locator(".charts figure:visible").count() == 1
    assert "cat=cyber" in desk.url
    assert desk.evaluate("() => window.moved") == 0
    desk.locator("#areas th[data-sort=total] button").click()
    expect(desk.locator("#areas th[data-sort=total]")).to_have_attribute("aria-sort", "descending")
    assert desk.evaluate("() => window.moved") > 0


def test_levels_roll_up_and_sums_agree(desk: Page, url: str) -> None:
    """Scenario 5 of `view.md`."""
    expect(desk.locator("#areas tbody tr")).to_have_count(245)
    total = sum(numbers(row)[0] or 0 for row in rows(desk).values())
    desk.get_by_role("group", name="层级").get_by_role("button", name="苏木镇").click()
    expect(desk.locator("#areas tbody tr")).to_have_count(7)

    assert sum(numbers(row)[0] or 0 for row in rows(desk).values()) == total
    assert shades(desk)[f"{TOWN}001001"] == "2"
    assert len({shade for code, shade in shades(desk).items() if code.startswith(TOWN)}) == 1
    assert api(url, "/state", level="town")["sum"][-1] == total


def test_a_click_on_a_grid_filters_all_and_escape_clears(desk: Page) -> None:
    """Scenarios 6, 8 of `view.md`."""
    desk.locator(f'svg.map [data-code="{RED}"]').click()
    expect(desk.locator(f'#areas tr[data-code="{RED}"]')).to_have_attribute("aria-selected", "true")
    expect(desk.locator(".alert-panel .alert")).to_have_count(1)
    expect(desk.locator(".trend-panel .controls")).to_contain_text("中心镇")
    assert f"area={RED}" in desk.url
    desk.keyboard.press("Escape")
    expect(desk.locator(".alert-panel .alert")).to_have_count(4)
    assert "area=" not in desk.url

    desk.locator('#areas tr[data-code="150627001001002"] button').click()
    expect(desk.locator('svg.map [data-code="150627001001002"]')).to_have_attribute("aria-pressed", "true")


def test_arrow_keys_reach_every_area_and_enter_selects(desk: Page) -> None:
    """Scenario 7: one tab stop; from the first grid every other one can be reached by arrows."""
    assert desk.locator('svg.map [tabindex="0"]').count() == 1
    desk.locator('svg.map [tabindex="0"]').focus()
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("ArrowDown")
    at = desk.evaluate("() => document.activeElement.dataset.code")
    expect(desk.locator("svg.map path.cursor")).to_have_attribute("d", re.compile("M.*Z"))
    assert desk.locator("p.told").first.text_content()
    desk.keyboard.press("Enter")
    expect(desk.locator(f'svg.map [data-code="{at}"]')).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("wanted", [RED, "和顺社区第1网格", "hssqd1wg"])
def test_an_area_is_found_by_code_name_and_pinyin(desk: Page, wanted: str) -> None:
    """Scenario 9 of `view.md`."""
    desk.get_by_role("searchbox").fill(wanted)
    desk.keyboard.press("Enter")
    expect(desk.locator(f'svg.map [data-code="{RED}"]')).to_have_attribute("aria-pressed", "true")


def test_a_link_shows_the_same_and_back_undoes(desk: Page, watched: Watched) -> None:
    """Scenarios 10, 11 of `view.md`."""
    desk.get_by_role("group", name="类别").get_by_role("button", name="公共安全").click()
    desk.get_by_role("group", name="地图").get_by_role("button", name="等面积").click()
    desk.locator(f'svg.map [data-code="{RED}"]').click()
    desk.get_by_role("columnheader", name="合计").get_by_role("button").click()
    desk.get_by_label("时段").select_option("7d")
    expect(desk.locator(".figures .label").first).to_have_text("事件合计")
    other = watched.open(desk.url.replace(watched.url, "").replace("lang=zh", "").replace("&&", "&"))
    other.wait_for_selector("#areas tbody tr")

    def seen(page: Page) -> list[object]:
        page.wait_for_function("() => document.querySelectorAll('#areas tbody tr').length === 245")
        pressed = page.eval_on_selector_all('button[aria-pressed="true"]', "all => all.map(one => one.textContent)")
        return [
            pressed,
            shades(page),
            list(rows(page)),
            page.locator('svg.map [aria-pressed="true"]').get_attribute("data-code"),
        ]

    assert seen(other) == seen(desk)
    desk.go_back()
    desk.go_back()
    desk.go_back()
    expect(desk.locator('svg.map [aria-pressed="true"]')).to_have_count(0)
    assert "area=" not in desk.url
    assert "cat=public_safety" in desk.url
