"""The table of faults names real tests, and every row has a word."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.faults.results import NAMED, read, table
from tests.faults.rows import ROWS

ROOT = Path(__file__).parents[2]
ELSEWHERE = {33, 48, 54, 56}
"""Rows that may say that this machine cannot do it."""


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    parts = [(node, "") for node in tree.body]
    parts += [(inner, f"{node.name}::") for node in tree.body if isinstance(node, ast.ClassDef) for inner in node.body]
    return frozenset(before + node.name for node, before in parts if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_all_56_rows_are_there_in_order() -> None:
    assert list(ROWS) == list(range(1, 57))
    assert {number for number, row in ROWS.items() if row.here} <= ELSEWHERE


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_named_test_exists(name: str) -> None:
    file, _, test = name.partition("::")

    assert test in functions_of(file)


def test_results_are_of_tests_that_are_named() -> None:
    assert set(read()) <= NAMED


def test_the_page_has_a_line_for_each_row() -> None:
    lines = table().splitlines()[2:]

    assert [int(line.split("|")[1]) for line in lines] == list(ROWS)
