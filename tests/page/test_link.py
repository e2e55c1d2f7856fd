"""The line to the server breaks, comes back, answers wrongly: the page says so, keeps what it has, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.page.asking import api, numbers, rows
from tests.page.conftest import PATIENCE_MS, Watched, watching
from tests.page.world import ORANGE, RED, CityProcess, alert_of
from tests.view.world import incident

BROKEN = ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "net::", "Failed to load resource")


@pytest.fixture
def clocked(chromium: Browser, url: str) -> Iterator[Watched]:
    """A context whose clock goes on, and jumps when it is told to."""
    with watching(chromium, url) as made:
        made.context.clock.install(time=datetime.now(UTC))
        yield made
        made.forgive(*BROKEN)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_dropped_stream_is_told_at_15_60_and_300_seconds(clocked: Watched, lang: str) -> None:
    """Scenario 13: amber, red banner, grey map; what was last known stays, nothing may be done; all is well again afterwards."""
    page = clocked.open(lang=lang)
    light, html = page.locator("header .age"), page.locator("html")
    expect(light).to_have_attribute("data-age", "live")
    page.wait_for_selector("#areas tbody tr")
    before = rows(page)
    page.locator(".alert .evidence").first.click()
    expect(page.locator(".act").first).to_be_enabled()
    clocked.context.set_offline(offline=True)
    page.clock.run_for(18_000)
    expect(light).to_have_attribute("data-age", "stale")
    expect(light).to_contain_text({"zh": "连接中断", "en": "Connection lost"}[lang])
    assert page.locator(".banner.old").count() == 0
    page.clock.run_for(50_000)
    expect(light).to_have_attribute("data-age", "banner")
    expect(page.locator(".banner.old")).to_contain_text({"zh": "屏上仍是最后一次的数据", "en": "last good data"}[lang])
    expect(page.locator(".act").first).to_be_enabled()
    page.clock.run_for(250_000)
    expect(html).to_have_attribute("data-age", "grey")
    expect(page.locator(".banner.old")).to_contain_text({"zh": "不能据此处置", "en": "do not act"}[lang])
    expect(page.locator(".act").first).to_be_disabled()

    assert "grayscale" in page.locator("svg.map").evaluate("node => getComputedStyle(node).filter")
    assert rows(page) == before
    clocked.context.set_offline(offline=False)
    page.clock.run_for(40_000)
    expect(light).to_have_attribute("data-age", "live")
    expect(page.locator(".banner.old")).to_have_count(0)
    expect(page.locator(".act").first).to_be_enabled()


def test_who_comes_back_lost_nothing_and_got_nothing_twice(watched: Watched, url: str, city: CityProcess) -> None:
    """Scenario 14: the stream goes on from the last id."""
    page = watched.open()
    _a_change_arrives(page, city, "first", ORANGE)
    ids: list[str | None] = []
    watched.context.on("request", lambda asked: ids.append(asked.headers.get("last-event-id")) if _live(asked) else None)
    was = {code: numbers(row) for code, row in rows(page).items()}
    watched.context.set_offline(offline=True)
    expect(page.locator(".age")).to_have_attribute("data-link", "closed")
    city.write("police", [incident(f"while-away-{number}", ORANGE, datetime.now(UTC)) for number in range(4)])
    city.tell(alert_of("150627006001001", 2, datetime.now(UTC)))
    watched.context.set_offline(offline=False)
    row = page.locator(f'#areas tr[data-code="{ORANGE}"] td').nth(2)
    expect(row).to_have_text(str((was[ORANGE][0] or 0) + 4))
    expect(page.locator('.alert-panel [data-alert="2"].alert')).to_have_count(2)
    watched.forgive(*BROKEN)

    assert any(ids), "the stream was asked for without the id of what came last"
    state = api(url, "/state")
    assert {code: numbers(row) for code, row in rows(page).items()} == {
        code: [sum(n), *n] for code, n in zip(state["areas"], state["n"], strict=True)
    }
    shown = page.eval_on_selector_all(".alert-panel .alert", "all => all.map(one => one.dataset.id)")
    assert sorted(shown) == sorted({one["id"] for one in api(url, "/alerts")["items"]})


def test_a_reset_loads_state_and_alerts_again(watched: Watched, url: str, city: CityProcess) -> None:
    """Scenario 15: an id that the server no longer keeps; a day of missed changes is told by the state itself."""
    page = watched.open()
    _a_change_arrives(page, city, "before-reset", RED)
    asked: list[str] = []
    watched.context.set_offline(offline=True)
    expect(page.locator(".age")).to_have_attribute("data-link", "closed")
    city.write("police", [incident("before-the-reset", RED, datetime.now(UTC))])
    page.route("**/api/v1/live", lambda route: route.continue_(headers=route.request.headers | {"last-event-id": "gone.1"}))
    watched.context.on("request", lambda request: asked.append(request.url.split("/api/v1")[-1]))
    watched.context.set_offline(offline=False)
    page.wait_for_function(
        "n => document.querySelector('#areas tr[data-code=\"150627001001001\"] td:nth-of-type(3)').textContent === n",
        arg=_total(url, RED), timeout=PATIENCE_MS,
    )  # fmt: skip
    watched.forgive(*BROKEN)

    assert any(one.startswith("/state") for one in asked)
    assert any(one.startswith("/alerts") for one in asked)


def test_an_answer_of_500_leaves_what_was_there(watched: Watched) -> None:
    """Scenario 25: what failed is named with its status and the number of tries, the numbers stay, and it mends itself."""
    page = watched.open()
    page.wait_for_selector("#areas tbody tr")
    before = rows(page)
    page.route("**/api/v1/state?**", lambda route: route.fulfill(status=500, json={"type": "x:broken", "detail": "a disk"}))
    page.get_by_label("时段").select_option("6h")
    expect(page.locator(".banner.failed")).to_contain_text("500 a disk")
    assert rows(page) == before
    expect(page.locator(".banner.failed")).to_contain_text("已重试 2 次")
    page.unroute("**/api/v1/state?**")
    expect(page.locator(".banner.failed")).to_have_count(0)
    watched.forgive("500")

    assert rows(page) != before


def test_an_action_without_network_waits_and_is_sent_once(watched: Watched, url: str, city: CityProcess) -> None:
    """Scenario 36: on the phone; the reader is told that it waits, and that it was sent."""
    alert = alert_of("150627007001001", 3, datetime.now(UTC))
    city.tell(alert)
    keys: list[str | None] = []
    watched.context.on(
        "request", lambda asked: keys.append(asked.headers.get("idempotency-key")) if asked.method == "POST" else None
    )
    page = watched.open(f"/m?alert={alert.id}")
    expect(page.locator(".why .act").first).to_be_enabled()
    watched.context.set_offline(offline=True)
    page.get_by_role("button", name="签收", exact=True).click()
    page.locator("dialog .yes").click()
    expect(page.locator(".banner.queue")).to_contain_text("1 个操作等待网络")
    assert api(url, f"/alerts/{alert.id}")["actions"] == []
    watched.context.set_offline(offline=False)
    expect(page.locator(".banner.sent")).to_contain_text("已发送 1 个操作")
    expect(page.locator(".banner.queue")).to_have_count(0)
    expect(page.locator(".why .done")).to_contain_text("签收")
    watched.forgive(*BROKEN)

    assert [one["kind"] for one in api(url, f"/alerts/{alert.id}")["actions"]] == ["ack"]
    assert len(set(keys)) == 1
    assert len(keys) >= 2, "once into the broken network, once for good, under one key"


def _live(asked: Request) -> bool:
    return asked.url.endswith("/api/v1/live")


def _a_change_arrives(page: Page, city: CityProcess, name: str, grid: str) -> None:
    """From then on the page has the id of an event."""
    row = page.locator(f'#areas tr[data-code="{grid}"] td').nth(2)
    was = int(row.inner_text())
    city.write("police", [incident(name, grid, datetime.now(UTC))])
    expect(row).to_have_text(str(was + 1))


def _total(url: str, grid: str) -> str:
    state = api(url, "/state")
    return str(sum(state["n"][state["areas"].index(grid)]))
