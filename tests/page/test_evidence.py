"""Why an alert was raised, and what is done about it: the drawer says what the API says, and two officers do not act at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from tests.page.asking import api
from tests.page.conftest import Watched
from tests.page.world import ORANGE, RED, CityProcess, alert_of
from tests.view.world import incident

NEW = "150627005001001"


def test_the_drawer_says_what_the_api_says(desk: Page, url: str) -> None:
    """Scenario 20 of `view.md`: from a red area in one click to observed, expected, bound, q, rule, baseline, neighbours, events."""
    alert = next(one for one in api(url, "/alerts")["items"] if one["area"] == RED)
    desk.locator(f'.alert[data-id="{alert["id"]}"] .evidence').click()
    drawer = desk.locator(".why")
    expect(drawer.locator('[data-fact="observed"]')).to_have_text("14")
    detail = api(url, f"/alerts/{alert['id']}")
    facts = {
        name: drawer.locator(f'[data-fact="{name}"]').inner_text()
        for name in ("observed", "expected", "upper", "q", "params_hash", "baseline")
    }

    assert float(facts["observed"]) == detail["observed"]
    assert float(facts["expected"]) == round(detail["expected"], 2)
    assert float(facts["upper"]) == detail["upper"]
    assert float(facts["q"]) == detail["q"]
    assert facts["params_hash"] == detail["params_hash"]
    assert [float(one) for one in facts["baseline"].split()] == detail["evidence"]["baseline"]
    assert drawer.locator(".ids li").all_inner_texts() == detail["evidence"]["event_ids"]
    expect(drawer.locator(".why-near tbody tr")).to_have_count(len(detail["evidence"]["neighbours"]))
    expect(drawer.locator(".chart")).to_have_attribute("data-points", re.compile(r"2[89]|30"))
    assert f"alert={alert['id']}" in desk.url
    desk.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_of_two_officers_one_acts_and_the_other_is_told_who(watched: Watched, url: str) -> None:
    """Scenario 19: an action shows in the second browser; a race is told with the role, and asks once more before."""
    alert = next(one for one in api(url, "/alerts")["items"] if one["area"] == ORANGE)
    one, other = (watched.open(f"/desk?alert={alert['id']}") for _ in range(2))
    for page in (one, other):
        expect(page.locator(".why h2").first).to_contain_text("西河镇")
    # The second has the question open while the first acts: its version is the one it saw.
    other.get_by_role("button", name="派单").click()
    one.get_by_role("button", name="签收").click()
    one.locator("dialog .yes").click()
    expect(one.locator(".why .done")).to_contain_text("city-duty：签收")
    expect(other.locator(".why .done")).to_contain_text("city-duty：签收")
    other.locator("dialog .yes").click()
    expect(other.locator(".actions .told")).to_contain_text("city-duty did ack meanwhile")
    watched.forgive("412")  # the browser names every refusal

    assert [done["kind"] for done in api(url, f"/alerts/{alert['id']}")["actions"]] == ["ack"]


def test_a_change_repaints_its_cell_alone_and_moves_nothing(desk: Page, city: CityProcess) -> None:
    """Scenarios 12 and 16: only what changed is painted; zoom, scroll and the open drawer stay."""
    desk.get_by_role("button", name="放大", exact=True).click()
    desk.locator(".alert .evidence").first.click()
    desk.evaluate("() => scrollTo(0, 200)")
    desk.wait_for_timeout(1500)
    box, before = (desk.locator("svg.map").get_attribute(name) for name in ("viewBox", "data-repaints"))
    order = desk.eval_on_selector_all("#areas tbody tr", "rows => rows.map(row => row.dataset.code)")
    row = desk.locator(f'#areas tr[data-code="{NEW}"] td').nth(2)
    was = int(row.inner_text())
    now = datetime.now(UTC)
    city.write("police", [incident(f"delta-{number}", NEW, now) for number in range(3)])
    expect(row).to_have_text(str(was + 3))

    painted = int(desk.locator("svg.map").get_attribute("data-repaints") or 0) - int(before or 0)
    assert painted < 245, "a delta must not paint the whole map"
    assert desk.locator("svg.map").get_attribute("viewBox") == box
    assert desk.evaluate("() => scrollY") == 200
    assert desk.eval_on_selector_all("#areas tbody tr", "rows => rows.map(row => row.dataset.code)") == order
    expect(desk.locator(".why")).to_be_visible()


def test_a_new_red_alert_is_announced_once_and_takes_no_focus(desk: Page, city: CityProcess) -> None:
    """Scenario 17; its text comes as text: an area's events never become HTML."""
    expect(desk.locator(".alert-panel .alert")).not_to_have_count(0)  # what the first list holds is not new
    field = desk.get_by_role("searchbox")
    field.focus()
    city.tell(alert_of(NEW, 1, datetime.now(UTC)))
    loud = desk.locator('[data-live="loud"]')
    expect(loud).to_contain_text("草滩苏木")
    desk.wait_for_timeout(1500)

    assert loud.get_attribute("data-times") == "1"
    assert desk.evaluate("() => document.activeElement.type") == "search"
    expect(desk.locator('.alert-panel .alert[data-alert="1"]')).to_have_count(2)


def test_an_event_with_html_stays_text(desk: Page, city: CityProcess) -> None:
    """Scenario 38."""
    city.write("police", [incident("<img src=x onerror=alert(1)>", RED, datetime.now(UTC), "S04")])
    expect(desk.locator(".case-list")).to_contain_text("危化品")
    desk.locator(".case-list button", has_text="危化品").first.click()
    expect(desk.locator(".case-panel caption")).to_contain_text("危化品")

    assert desk.locator(".case-panel img").count() == 0
    assert "case=" in desk.url
