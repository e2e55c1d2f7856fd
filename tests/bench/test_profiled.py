"""Stacks of py-spy become shares of functions."""

from __future__ import annotations

from pathlib import Path

from bench.profiled import hottest


def test_a_function_has_its_own_share_and_that_of_what_it_calls(tmp_path: Path) -> None:
    stacks = tmp_path / "worker.stacks"
    stacks.write_text(
        "thread (0x1);outer (a.py:1);inner (b.py:7) 30\nthread (0x1);outer (a.py:2) 10\nthread (0x1);outer (a.py:1);inner (b.py:9) 60\n",
        encoding="utf-8",
    )

    (inner, outer) = hottest(stacks)

    assert inner == ("inner (b.py)", 0.9, 0.9)
    assert outer == ("outer (a.py)", 0.1, 1.0)


def test_a_function_that_calls_itself_is_counted_once_a_sample(tmp_path: Path) -> None:
    stacks = tmp_path / "worker.stacks"
    stacks.write_text("walk (a.py:1);walk (a.py:2);walk (a.py:3) 5\n", encoding="utf-8")

    assert hottest(stacks) == [("walk (a.py)", 1.0, 1.0)]
