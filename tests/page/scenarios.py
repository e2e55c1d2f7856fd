"""The forty scenarios of the page, and which tests play them: a test names its numbers in its docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

SCENARIOS: Final = (
    "first paint shows every grid",
    "no request leaves the origin",
    "no complaint of policy or console",
    "a category changes fill, table and trend together",
    "levels roll up and sums agree",
    "a click on a grid filters all, Esc clears",
    "arrow keys go by geography, Enter selects, the focus is seen",
    "table and map select each other",
    "search by code, name, pinyin initials",
    "a link shows filter, time and selection",
    "Back undoes",
    "a change repaints its cells alone",
    "a broken stream: 15, 60, 300 seconds",
    "coming back loses nothing and doubles nothing",
    "`reset` loads state again",
    "the view survives changes",
    "a new red alert: one announcement, no theft of focus",
    "200 alerts in a second are grouped, the page answers",
    "an action shows in the second browser; a race is told",
    "evidence equals the API",
    "what is hidden shows nowhere",
    "totals give nothing away",
    "a dead source: partial, hatched, not zero",
    "an empty city: words, not blank",
    "an answer of 500: the last data stays",
    "no WebGL: the map is there",
    "no tiles: no blank map",
    "a phone of 360 pixels: nothing sideways, large targets",
    "a wall of 3840 pixels and of 32:9: nothing cut",
    "200 % and 400 %",
    "reduced motion",
    "forced colours, grey",
    "another language keeps the state",
    "midnight of the city",
    "the slider replays a day",
    "an action without network waits and is sent once",
    "a community's token cannot read another's",
    "HTML in an event stays text",
    "Chinese is drawn",
    "the hand-over prints on one page",
)
NAMED: Final = re.compile(r"Scenarios? ((?:\d+(?:, | and )?)+)")


class Played(NamedTuple):
    """A test that plays a scenario."""

    number: int
    module: str
    name: str


def played(folder: Path = Path(__file__).parent) -> Iterator[Played]:
    """What the docstrings of the tests name."""
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (found := NAMED.search(ast.get_docstring(node) or "")):
                for number in re.findall(r"\d+", found[1]):
                    yield Played(int(number), path.name, node.name)


def table() -> str:
    """The table of docs/page.md."""
    by = [
        sorted({(one.module, one.name) for one in played() if one.number == number}) for number in range(1, len(SCENARIOS) + 1)
    ]
    rows = [
        f"| {number} | {title} | {'<br>'.join(f'`{module}::{name}`' for module, name in tests)} |"
        for number, (title, tests) in enumerate(zip(SCENARIOS, by, strict=True), 1)
    ]
    return "\n".join(["| | scenario | tests in `tests/page` |", "| --- | --- | --- |", *rows])
