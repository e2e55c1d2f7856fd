"""`make demo` on a terminal: it ends by serving the page over a city that lives on, until Ctrl-C."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.page.conftest import watching
from tests.terminal import DemoInTerminal

EVENTS = "30000"
STOP_SECONDS = 15.0
"""Ten for the deployment (`citybrain/deployment.py`), and what a busy machine takes until the key is noticed and we are gone."""


@pytest.mark.timeout(600)
def test_the_demo_serves_the_living_city_until_ctrl_c(chromium: Browser, tmp_path: Path) -> None:
    with DemoInTerminal("--events", EVENTS, "--data-dir", str(tmp_path / "demo")) as demo:
        address = demo.page(500)
        origin, token = address.split("/desk#token=")
        with watching(chromium, origin) as made:
            page = made.context.new_page()
            page.goto(f"{origin}/desk?lang=zh#token={token}")
            page.wait_for_selector("body[data-ready=yes]")
            expect(page.locator("#areas tbody tr")).to_have_count(245)
            expect(page.locator(".age")).to_have_attribute("data-age", "live")
            expect(page.locator('[data-figure="incidents"]')).to_have_text(re.compile(r"[1-9]"))
            before = page.locator("#areas tbody").inner_text()
            page.wait_for_function("before => document.querySelector('#areas tbody').innerText !== before", arg=before)
        took = demo.ctrl_c()
        print(f"stopped in {took:.1f} s with {len(demo.children)} children")

        assert "stopping" in demo.printed
        assert len(demo.children) >= 5
        assert took < STOP_SECONDS
        assert demo.process.returncode == 0
