"""Who sees what: nothing small without a token, nothing of others with the token of a community, whatever is asked and however."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ingest.city import build_city
from schemas.places import Level
from tests.page.asking import api
from tests.page.conftest import Watched
from tests.page.world import ORANGE
from tests.view.live_client import messages
from tests.view.world import COMMUNITY, bearer
from view.attack import System, bounds
from view.city import CATEGORIES, CityMap
from view.days import ALL, table_sums
from view.suppress import LEAST_SHOWN

LEVELS: dict[str, Level] = {"网格": "grid", "社区": "community", "苏木镇": "town", "旗": "banner"}
CELLS = "rows => rows.map(row => [row.dataset.code, ...[...row.querySelectorAll('td.n')].map(cell => cell.textContent)])"


def test_without_a_token_a_file_and_the_stream_tell_no_small_number(watched: Watched, url: str) -> None:
    """Scenario 21: what the page downloads, what it hovers, and what its stream is told."""
    page = watched.open("/desk", token=None)
    page.wait_for_selector("#areas tbody tr")
    with page.expect_download() as loading:
        page.get_by_role("button", name="下载 CSV").click()
    text = loading.value.path().read_text(encoding="utf-8-sig")
    counts = [int(line["n"]) for line in csv.DictReader(io.StringIO(text)) if line["n"]]
    assert len(counts) > 100
    assert not [n for n in counts if 0 < n < LEAST_SHOWN]
    for area in page.locator("svg.map [data-shade]").all()[:20]:
        area.dispatch_event("pointerover", {})
        assert not re.search(r": [1-4] 件", page.locator("p.told").first.inner_text())
    # The stream of who has no token tells beats and resets, never a cell.
    with httpx.Client(base_url=url) as client, messages(client, {}) as stream:
        stream.next("beat")
    assert set(stream.seen) <= {"hello", "beat", "reset"}


def test_totals_on_the_page_do_not_give_away_what_is_hidden(watched: Watched) -> None:
    """Scenario 22: every number of the table at every level, put into equations; no hidden cell is held below five."""
    page = watched.open("/desk", token=None)
    page.wait_for_selector("#areas tbody tr")
    city = CityMap(build_city(1).places)
    row = {code: at for at, code in enumerate(city.codes)}
    values = np.zeros((len(city.codes), ALL + 1), dtype=np.int64)
    hidden = np.ones_like(values, dtype=bool)
    for word, level in LEVELS.items():
        page.get_by_role("group", name="层级").get_by_role("button", name=word, exact=True).click()
        expect(page.locator("#areas tbody tr")).to_have_count(len(city.levels[level]))
        for code, *cells in page.eval_on_selector_all("#areas tbody tr", CELLS):
            for column, text in zip([ALL, *range(ALL)], cells, strict=True):  # the total stands first
                if text.replace(",", "").isdigit():
                    values[row[code], column], hidden[row[code], column] = int(text.replace(",", "")), False
    # The model city is one banner, which a reader knows: what is told of the one is told of the other.
    values[row[""]], hidden[row[""]] = values[row["150627"]], hidden[row["150627"]]
    shown = page.locator('[data-figure="incidents"]').inner_text().replace(",", "")
    if shown.isdigit():
        values[row[""], ALL], hidden[row[""], ALL] = int(shown), False
    system = System(values.ravel(), table_sums(city), hidden.ravel())
    chance = np.random.default_rng(3)
    attacked = chance.choice(system.cells, size=min(12, len(system.cells)), replace=False)
    most = [bounds(system, int(cell))[1] for cell in attacked]

    assert hidden.any()
    assert (~hidden).sum() > 100
    assert min(most) >= LEAST_SHOWN


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_community_sees_itself_alone(watched: Watched, url: str, lang: str) -> None:
    """Scenario 37: other areas are outlines, a link to another's area, alert or case shows nothing, the API refuses."""
    theirs = next(one for one in api(url, "/alerts")["items"] if one["area"] == ORANGE)
    page = watched.open(f"/desk?area={ORANGE}&alert={theirs['id']}", token="own-duty", lang=lang)  # noqa: S106 - a name
    page.wait_for_selector("svg.map [data-shade]")
    shades: dict[str, str] = dict(
        page.eval_on_selector_all("svg.map [data-code]", "all => all.map(one => [one.dataset.code, one.dataset.shade])")
    )
    inside = {code for code in shades if code.startswith(COMMUNITY)}
    assert {code for code, shade in shades.items() if shade != "outside"} == inside
    assert len(inside) > 1
    assert not [label for label in _labels(page) if re.search(r"\d+ (件|incidents)", label)]
    expect(page.locator("#areas tbody tr")).to_have_count(len(inside))
    expect(page.locator(".why")).not_to_contain_text("14")
    for path, query in (("/events", {"area": ORANGE}), ("/series", {"area": ORANGE}), (f"/alerts/{theirs['id']}", {})):
        answer = httpx.get(f"{url}/api/v1{path}", params=query, headers=bearer("own-duty"), timeout=60)
        assert answer.status_code in {403, 404}, path
    mine: dict[str, Any] = api(url, "/state", token="own-duty")  # noqa: S106 - a name
    assert {area[:12] for area in mine["areas"]} == {COMMUNITY}
    assert len(CATEGORIES) == len(mine["n"][0])
    expect(page.locator(".banner.failed")).to_contain_text("404")
    page.close()  # what failed is asked again and again
    watched.forgive("404", "403")


def _labels(page: Page) -> list[str]:
    """Of the areas of others."""
    found: list[str] = page.eval_on_selector_all('svg.map [data-shade="outside"]', "all => all.map(one => one.ariaLabel)")
    return found
