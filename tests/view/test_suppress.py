"""No small count can be computed from what is published beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from view.attack import System, bounds
from view.audit import Audit
from view.sums import Numbers, Sum
from view.suppress import LEAST_SHOWN, protect


def table(cells: list[list[int]]) -> tuple[Numbers, list[Sum]]:
    """A table with the sums of its rows, its columns, and the whole."""
    inner = np.array(cells, dtype=np.int64)
    whole = np.zeros((inner.shape[0] + 1, inner.shape[1] + 1), dtype=np.int64)
    whole[:-1, :-1] = inner
    whole[-1, :] = whole[:-1, :].sum(axis=0)
    whole[:, -1] = whole[:, :-1].sum(axis=1)
    height, width = whole.shape
    lines = [list(range(row * width, row * width + width)) for row in range(height)]
    lines += [list(range(column, whole.size, width)) for column in range(width)]
    sums = [Sum(line[-1], tuple(line[:-1])) for line in lines]
    return whole.ravel(), sums


def tree(leaves: list[list[list[int]]]) -> tuple[Numbers, list[Sum]]:
    """Grids in communities in one town, by category: every level's counts and every level's total."""
    values: list[int] = []
    sums: list[Sum] = []

    def row(counts: list[int]) -> list[int]:
        first = len(values)
        values.extend([*counts, sum(counts)])
        cells = list(range(first, len(values)))
        sums.append(Sum(cells[-1], tuple(cells[:-1])))
        return cells

    communities = []
    for grids in leaves:
        own = [row(grid) for grid in grids]
        up = row([sum(values[grid[category]] for grid in own) for category in range(len(grids[0]))])
        sums.extend(Sum(up[at], tuple(grid[at] for grid in own)) for at in range(len(up)))
        communities.append(up)
    town = row([sum(values[one[category]] for one in communities) for category in range(len(leaves[0][0]))])
    sums.extend(Sum(town[at], tuple(one[at] for one in communities)) for at in range(len(town)))
    return np.array(values), sums


counts = st.one_of(st.just(0), st.integers(0, 7), st.integers(0, 60))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Numbers, list[Sum]]:
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return table([[draw(counts) for _ in range(columns)] for _ in range(rows)])


@st.composite
def trees(draw: st.DrawFn) -> tuple[Numbers, list[Sum]]:
    categories = draw(st.integers(1, 4))
    return tree(
        [
            [[draw(counts) for _ in range(categories)] for _ in range(draw(st.integers(1, 4)))]
            for _ in range(draw(st.integers(1, 3)))
        ]
    )


@settings(max_examples=40, deadline=None)
@given(st.one_of(tables(), trees()))
def test_every_small_cell_may_be_large_for_all_that_is_published(case: tuple[Numbers, list[Sum]]) -> None:
    """The attack: each hidden small cell, bounded alone by everything published. None is known, none is known to be small."""
    values, sums = case
    hidden = protect(values, sums)
    small = np.flatnonzero((values > 0) & (values < LEAST_SHOWN))

    assert hidden[small].all()
    assert not hidden[values == 0].any(), "zero is drawn apart"
    system = System(values, sums, hidden)
    for cell in small:
        least, most = bounds(system, int(cell))
        assert least <= values[cell] + 1e-6
        assert most >= LEAST_SHOWN - 1e-6


@settings(max_examples=30, deadline=None)
@given(st.one_of(tables(), trees()))
def test_the_same_table_hides_the_same_cells(case: tuple[Numbers, list[Sum]]) -> None:
    """Two answers about one table, with different cells hidden, would fill each other's holes."""
    values, sums = case
    assert (protect(values, sums) == protect(values.copy(), list(sums))).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=2, max_size=3))
def test_over_whole_numbers_too(cells: list[list[int]]) -> None:
    """Tables of two ways have whole-number corners: who uses that counts are whole finds no more."""
    values, sums = table(cells)
    system = System(values, sums, protect(values, sums))
    for cell in np.flatnonzero((values > 0) & (values < LEAST_SHOWN)):
        assert bounds(system, int(cell), whole=True)[1] >= LEAST_SHOWN - 1e-6


class TestOneByOne:
    def test_hiding_only_what_is_small_would_give_it_away(self) -> None:
        """Which is why there are complements: the attack sees through the plain rule."""
        values, sums = table([[3, 20], [30, 40]])
        plain = (values > 0) & (values < LEAST_SHOWN)

        assert Audit(values, sums, plain, [0], LEAST_SHOWN).unexposed([0]) == set()
        assert bounds(System(values, sums, plain), 0) == (3.0, 3.0)
        hidden = protect(values, sums)
        assert hidden.reshape(3, 3)[:2, :2].all()
        assert not hidden.reshape(3, 3)[2].any(), "totals stay"

    def test_two_small_ones_with_a_small_sum_are_not_enough(self) -> None:
        """1 + 1 = 2 hides nothing: zero is published as zero, so both are known."""
        values, sums = table([[1, 1, 50]])
        assert protect(values, sums)[:3].all()

    def test_a_table_of_one_small_cell_hides_its_totals_as_well(self) -> None:
        values, sums = table([[0, 0], [0, 2]])
        assert protect(values, sums).tolist() == (values > 0).tolist()

    def test_nothing_small_hides_nothing(self) -> None:
        values, sums = table([[0, 5], [60, 7]])
        assert not protect(values, sums).any()

    def test_a_cell_hidden_for_another_reason_is_never_the_only_one(self) -> None:
        values, sums = table([[9, 20], [30, 40]])
        also = np.zeros(9, dtype=bool)
        also[0] = True
        hidden = protect(values, sums, also=also)
        assert hidden[0]
        assert hidden.sum() >= 4

    def test_sums_that_do_not_hold_are_refused(self) -> None:
        with pytest.raises(ValueError, match="cell 2 is 9"):
            protect(np.array([1, 2, 9]), [Sum(2, (0, 1))])
