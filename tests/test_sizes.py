"""Small parts, held by a ratchet: what is long may shrink, and nothing may grow past what is recorded here."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "ingest", "streams", "sinks", "view", "citybrain")
MOST_LINES = 400
MEDIAN_BELOW = 120
LONGEST_MODULE = 278
LONGEST_FUNCTION = 67
"""Lines of the longest module and function now. A smaller figure may be recorded, never a larger one."""


class Size(NamedTuple):
    """Lines of a module or function."""

    lines: int
    name: str


def modules() -> list[Size]:
    return [
        Size(len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT)))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def functions() -> Iterator[Size]:
    for module in modules():
        for node in ast.walk(ast.parse((ROOT / module.name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield Size(node.end_lineno - node.lineno + 1, f"{module.name}:{node.lineno} {node.name}")


def test_no_module_is_long() -> None:
    longest = max(modules())
    print(f"longest module: {longest.name}, {longest.lines} lines")

    assert longest.lines <= min(MOST_LINES, LONGEST_MODULE), longest


def test_the_typical_module_is_short() -> None:
    """Of modules that hold code: __init__ files with a docstring alone do not count."""
    median = statistics.median(module.lines for module in modules() if not module.name.endswith("__init__.py"))
    print(f"median of modules: {median:.0f} lines")

    assert median < MEDIAN_BELOW


def test_no_function_grew() -> None:
    longest = max(functions())
    print(f"longest function: {longest.name}, {longest.lines} lines")

    assert longest.lines <= LONGEST_FUNCTION, longest


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_was_looked_at(package: str) -> None:
    assert any(module.name.startswith(f"{package}/") for module in modules())
