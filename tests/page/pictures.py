"""`make screenshots`: pictures of the pages over the city of the tests, for README.md; docs/pictures/*.png."""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.page.conftest import SWITCHES
from tests.page.world import CityProcess
from tests.view.world import SECRETS

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS: Final = 256
SETTLE_MS: Final = 4000
"""Charts and the first changes of the stream are drawn."""


class Picture(NamedTuple):
    """One picture: which page, how large a screen."""

    name: str
    path: str
    width: int
    height: int


PICTURES: Final = (
    Picture("desk", "/desk?lang=zh&theme=light", 1360, 960),
    Picture("desk-en-dark", "/desk?lang=en&theme=dark&paint=count&window=7d", 1360, 960),
    Picture("wall", "/desk?mode=wall&lang=zh", 1600, 900),
    Picture("phone", "/m?lang=zh&theme=light", 390, 760),
    Picture("phone-map", "/m?lang=zh&theme=light&paint=count&window=7d", 390, 760),
)


def take(origin: str, token: str, folder: Path) -> None:
    """Take all pictures of a served city."""
    program = shutil.which("chromium")
    if not program:
        raise SystemExit("wanted the program chromium; `make tools` installs it")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*SWITCHES, "--lang=zh-CN"])
        for picture in PICTURES:
            context = browser.new_context(
                viewport={"width": picture.width, "height": picture.height}, locale="zh-CN", timezone_id="Asia/Shanghai"
            )
            page = context.new_page()
            page.goto(f"{origin}{picture.path}#token={token}")
            page.wait_for_selector("body[data-ready=yes]", timeout=90_000)
            page.wait_for_function("() => !/载入中|Loading/.test(document.body.innerText)", timeout=90_000)
            _prepare(page, picture.name)
            page.wait_for_timeout(SETTLE_MS)
            path = folder / f"{picture.name}.png"
            # A page has few colours: a palette takes a third of the bytes and is not seen.
            Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(
                COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
            ).save(path, optimize=True)
            print(f"{path}: {path.stat().st_size:,} bytes")
            context.close()
        browser.close()


def _prepare(page: Page, name: str) -> None:
    if name == "phone-map":
        page.get_by_role("button", name="地图").click()
        page.locator(".map-panel").scroll_into_view_if_needed()
        page.evaluate("() => document.querySelector('.map-panel').scrollIntoView()")


def main() -> None:
    """Serve a city, take the pictures, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--page", help="instead: the address that `make demo` prints")
    options = parser.parse_args()
    if options.page:
        origin, token = options.page.split("/desk#token=")
        take(origin, token, options.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        city = CityProcess(Path(folder) / "clickhouse")
        try:
            take(city.url, f"x{next(iter(SECRETS))}", options.out)
        finally:
            city.close()


if __name__ == "__main__":
    main()
