"""What the API says, asked beside the page: every number on screen is held against it."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Page

from tests.view.world import bearer


def api(url: str, path: str, token: str | None = "city-duty", **query: Any) -> Any:  # noqa: S107 - a name
    """One answer."""
    answer = httpx.get(f"{url}/api/v1{path}", params=query, headers=bearer(token), timeout=60)
    answer.raise_for_status()
    return answer.json()


def shades(page: Page) -> dict[str, str]:
    """Grid -> its colour on the map."""
    pairs: list[tuple[str, str]] = page.eval_on_selector_all(
        "svg.map [data-code]", "nodes => nodes.map(one => [one.dataset.code, one.dataset.shade])"
    )
    return dict(pairs)


def rows(page: Page) -> dict[str, list[str]]:
    """Area -> texts of its row in the table, its code first. The table comes after the first view."""
    page.wait_for_selector("#areas:not([aria-busy]) tbody tr", state="attached")
    found: list[list[str]] = page.eval_on_selector_all(
        "#areas tbody tr", "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    return {row[0]: row for row in found}


def numbers(row: list[str]) -> list[int | None]:
    """Counts of a row: the total, then each category; None: no data or not shown."""
    return [int(text.replace(",", "")) if text.replace(",", "").isdigit() else None for text in row[2:]]
