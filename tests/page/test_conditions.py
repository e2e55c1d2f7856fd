"""Other readers, screens, machines and hours: the page stays right and readable."""

from __future__ import annotations

import re
import shutil
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.asking import api, numbers, rows, shades
from tests.page.conftest import PATIENCE_MS, SWITCHES, Watched, watching
from tests.page.world import RED, CityProcess
from tests.view.world import ZONE, incident

PATHS = ["/desk", "/m", "/handover", "/scenarios", "/scenarios?scenario=smart_community"]
LIGHTNESS = """() => {
  const linear = part => part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4;
  return [...Array(5).keys()].map(step => {
    const [r, g, b] = getComputedStyle(document.querySelector(`.legend [data-shade="${step}"]`)).fill.match(/\\d+/g).map(Number);
    const y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    return 116 * Math.cbrt(y) - 16;
  });
}"""
"""L* of the five shades: what is left of colour in grey."""
BEAT = """() => new Promise(done => {
  const lamp = document.querySelector(".lamp");
  const look = () => lamp.classList.contains("beat") && done(Number(getComputedStyle(lamp).opacity));
  new MutationObserver(look).observe(lamp, { attributes: true });
})"""
"""How bright the light is at its next beat."""
INK = """texts => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  return texts.map(text => {
    pen.clearRect(0, 0, 40, 40);
    pen.font = `28px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillText(text, 4, 32);
    return pen.getImageData(0, 0, 40, 40).data.join();
  });
}"""
BRING = """() => new Promise(done => {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `${document.body.dataset.root}/lib/noto.css` });
  link.addEventListener("load", done);
  document.head.append(link);
})"""
WIDE = """() => [...document.querySelectorAll("body *")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !one.closest(".scroll, .unseen, .skip, svg, .why[hidden]");
}).slice(0, 3).map(one => one.outerHTML.slice(0, 120))"""


def test_without_webgl_and_without_tiles_the_map_is_there_and_says_why(url: str, chromium: Browser) -> None:
    """Scenarios 26, 27: no street map is configured, none is asked for, nothing is blank."""
    program = shutil.which("chromium")
    bare = chromium.browser_type.launch(executable_path=program, args=[*SWITCHES, "--disable-3d-apis"])
    with watching(bare, url) as made:
        asked: list[str] = []
        made.context.on("request", lambda request: asked.append(request.url))
        page = made.open()
        page.wait_for_selector("svg.map [data-shade]")
        assert page.evaluate("() => document.createElement('canvas').getContext('webgl2')") is None
        page.get_by_role("button", name="街道底图").click()
        expect(page.locator(".map-panel > .hint").first).to_have_text("没有配置街道底图；区域图不需要它。")
        assert len(shades(page)) == 245
        assert not [one for one in asked if re.search(r"pmtiles|maplibre|\.pbf|/tiles/", one)]
    bare.close()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_at_twice_and_four_times_the_size_nothing_is_out_of_reach(chromium: Browser, url: str, path: str, lang: str) -> None:
    """Scenario 30: 1280 pixels at 200 % and at 400 % are 640 and 320; only tables and the map scroll sideways, in themselves."""
    with watching(chromium, url, viewport={"width": 640, "height": 360}) as made:
        page = made.open(path, lang=lang)
        page.wait_for_function("word => !document.body.innerText.includes(word)", arg={"zh": "载入中", "en": "Loading"}[lang])
        for width in (640, 320):
            page.set_viewport_size({"width": width, "height": 256})
            assert (width, page.evaluate(WIDE)) == (width, [])
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_with_reduced_motion_nothing_moves(chromium: Browser, url: str) -> None:
    """Scenario 31; without the wish the light beats when data comes."""
    with watching(chromium, url, reduced_motion="reduce") as made:
        page = made.open()
        expect(page.locator(".age")).to_have_attribute("data-age", "live")
        assert page.evaluate(BEAT) == 1
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(BEAT) < 0.5


def test_an_open_page_draws_nothing_while_nothing_changes(desk: Page) -> None:
    """An animation without end costs a core without a graphics card, and a phone its battery."""
    expect(desk.locator(".age")).to_have_attribute("data-age", "live")
    assert desk.evaluate("() => document.getAnimations().length") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_levels_are_told_apart_without_colour(watched: Watched, theme: str) -> None:
    """Scenario 32: in grey the steps fall or rise evenly; with forced colours the map keeps its own; words say the same."""
    page = watched.open(f"/desk?theme={theme}")
    page.wait_for_selector("svg.map [data-shade]")
    light = page.evaluate(LIGHTNESS)
    gaps = [one - other for one, other in pairwise(light)]
    assert all(abs(gap) >= 4 for gap in gaps)
    assert all(gap > 0 for gap in gaps) or all(gap < 0 for gap in gaps)
    page.emulate_media(forced_colors="active")
    assert page.evaluate(LIGHTNESS) == pytest.approx(light)
    assert page.evaluate("() => matchMedia('(forced-colors: active)').matches")
    words = {level: page.locator(f'#areas td[data-shade="{level}"]').first.inner_text() for level in ("0", "3", "4")}
    assert words == {"0": "0 无异常", "3": "3 高", "4": "4 很高"}
    assert len(page.eval_on_selector_all(".legend svg.badge path", "all => all.map(one => one.getAttribute('d'))")) == 4
    label = page.locator(f'svg.map [data-code="{RED}"]').get_attribute("aria-label") or ""
    assert "很高" in label


def test_another_language_keeps_what_is_shown(desk: Page) -> None:
    """Scenario 33: `lang`, numbers and dates change; filter, area and window stay."""
    desk.get_by_role("group", name="类别").get_by_role("button", name="公共安全").click()
    desk.locator(f'svg.map [data-code="{RED}"]').click()
    before = {code: numbers(row) for code, row in rows(desk).items()}
    zh = desk.locator(".alert .hint").first.inner_text()
    desk.get_by_role("button", name="English").click()
    expect(desk.locator("html")).to_have_attribute("lang", "en")
    expect(desk.get_by_role("group", name="Category").locator('[aria-pressed="true"]')).to_have_text("Public safety")
    expect(desk.locator('svg.map [aria-pressed="true"]')).to_have_attribute("data-code", RED)
    desk.wait_for_function("() => document.querySelectorAll('#areas tbody tr').length === 245")

    assert {code: numbers(row) for code, row in rows(desk).items()} == before
    assert re.search(r"\d\d/\d\d,? \d\d:\d\d", desk.locator(".alert .hint").first.inner_text())
    assert desk.locator(".alert .hint").first.inner_text() != zh
    assert {f"area={RED}", "cat=public_safety", "lang=en"} <= set(desk.url.split("?")[1].split("&"))


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_today_begins_at_the_citys_midnight_wherever_the_browser_is(
    chromium: Browser, url: str, city: CityProcess, zone: str
) -> None:
    """Scenario 34: of two incidents a second before and after midnight in the city, today counts one."""
    with watching(chromium, url, timezone_id=zone) as made:
        page = made.open()
        figure = page.locator('[data-figure="incidents"]')
        expect(figure).to_have_text(re.compile(r"^[\d,]+$"))
        was = int(figure.inner_text().replace(",", ""))
        today = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        name = zone.replace("/", "-")
        city.write(
            "police",
            [
                incident(f"eve-{name}", RED, (today - timedelta(seconds=1)).astimezone(UTC)),
                incident(f"day-{name}", RED, today.astimezone(UTC)),
            ],
        )
        page.reload()
        page.wait_for_selector("body[data-ready=yes]")
        expect(figure).to_have_text(f"{was + 1:,}")
        ((stored,),) = city.rows("SELECT sum(incidents) FROM counts_day WHERE day = {day:Date}", {"day": f"{today:%Y-%m-%d}"})
        assert stored == was + 1
        ((late,),) = city.rows(
            "SELECT count() FROM events WHERE toDate(at, 'Asia/Shanghai') = {day:Date} AND stage IN ('', 'reported') "
            "AND dateDiff('second', at, received_at) > 600",
            {"day": f"{today:%Y-%m-%d}"},
        )
        assert late > 0
        expect(page.locator('[data-figure="incidents"] + .more')).to_have_text(f"+{late:,} 迟到")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_slider_replays_a_recorded_day(watched: Watched, url: str, lang: str) -> None:
    """Scenario 35: map, table and sum are those of the chosen time; live changes wait; one Back is one step out of it."""
    day = (datetime.now(ZONE) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    page = watched.open(f"/desk?at={day:%Y-%m-%d}&window=6h", lang=lang)
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("max", "96")
    for hours in (7, 18):
        slider.fill(str(hours * 4))
        at = (day + timedelta(hours=hours)).astimezone(UTC)
        expect(page.locator(".replay .at")).to_contain_text(f"{hours:02}:00")
        state = api(url, "/state", window="6h", at=at.isoformat().replace("+00:00", "Z"))
        wanted = {code: [sum(n), *n] for code, n in zip(state["areas"], state["n"], strict=True)}
        expect(page.locator('[data-figure="incidents"]')).to_have_text(str(state["sum"][-1]))
        until = time.monotonic() + PATIENCE_MS / 1000
        while (told := {code: numbers(row) for code, row in rows(page).items()}) != wanted and time.monotonic() < until:
            page.wait_for_timeout(100)  # two times may have one sum
        assert told == wanted
        assert sum(one[0] or 0 for one in wanted.values()) > 0
        assert set(shades(page).values()) == {"0"}, "no alert was raised then"
        assert f"at={at:%Y-%m-%dT%H}%3A00Z" in page.url
    page.get_by_role("button", name={"zh": "回放", "en": "Replay"}[lang]).click()
    expect(page.locator(".replay .at")).to_contain_text("19:00")
    page.get_by_role("button", name={"zh": "暂停", "en": "Pause"}[lang]).click()
    page.go_back()
    expect(page.locator(".replay .at")).not_to_contain_text("19:")
    assert f"at={day:%Y-%m-%d}&" in f"{page.url}&"


def test_chinese_is_drawn_and_the_pages_own_font_can_draw_it(desk: Page) -> None:
    """Scenario 39: signs that a font lacks all look alike; ours differ from those and from each other."""
    shown: list[str] = desk.evaluate(INK, ["\ue123", *"一张图网格镇"])
    assert len(set(shown)) == 7
    desk.evaluate(BRING)  # this machine has a Chinese font, so the page itself did not ask for its own
    faces: int = desk.evaluate(
        "async () => (await document.fonts.load('16px \"Noto Sans SC\"', '网格')).filter(one => one.status === 'loaded').length"
    )
    assert faces >= 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_hand_over_is_one_printed_page(watched: Watched, lang: str) -> None:
    """Scenario 40."""
    page = watched.open("/handover", lang=lang)
    word = {"zh": "载入中", "en": "Loading"}[lang]
    page.wait_for_function("word => !document.body.innerText.includes(word)", arg=word)
    page.emulate_media(media="print")
    hidden: dict[str, Any] = page.evaluate("() => ({ nav: getComputedStyle(document.querySelector('nav')).display })")
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(prefer_css_page_size=True)))

    assert hidden == {"nav": "none"}
    assert pages == 1
    expect(page.locator(".handover-alerts li").first).to_be_visible()
    expect(page.locator(".signature")).to_be_visible()
