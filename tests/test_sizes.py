"""Small rooms: modules and functions may shrink, the longest may not grow."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "ingest", "streams", "sinks", "citybrain")
LONGEST_MODULE = 260
LONGEST_FUNCTION = 72
MEDIAN_MODULE = 120


def modules() -> dict[str, int]:
    """Lines of every module of ours."""
    return {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    }


def functions() -> Iterator[tuple[int, str]]:
    """Lines and name of every function of ours."""
    for name in modules():
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                yield node.end_lineno - node.lineno + 1, f"{name}::{node.name}"


def test_no_module_outgrows_the_longest() -> None:
    sizes = modules()
    longest = max(sizes, key=sizes.__getitem__)
    print(f"longest module {longest}: {sizes[longest]} lines; median {statistics.median(sizes.values()):.0f}")

    assert sizes[longest] <= LONGEST_MODULE, longest
    assert statistics.median(sizes.values()) < MEDIAN_MODULE


def test_no_function_outgrows_the_longest() -> None:
    lines, name = max(functions())
    print(f"longest function {name}: {lines} lines")

    assert lines <= LONGEST_FUNCTION, name
