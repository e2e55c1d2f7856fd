"""The audit of small cells while a mask is made: one linear program, kept and asked again (HiGHS).

Pure. The reader knows every sum, every published number, that zeros are published, and so that a hidden cell is at least 1.
Each cell is a column, fixed while it is published; hiding one more only opens its bounds, so that the next question starts
from the last solution. `view.attack` asks the same of a finished mask, cell by cell and with another solver's face.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import highspy
import numpy as np
from highspy._core import _Highs as Quiet

from view.sums import Mask, Numbers, Sum

TOLERANCE: Final = 1e-6


class Audit:
    """What a reader cannot rule out about the small cells of one table."""

    def __init__(self, values: Numbers, sums: Sequence[Sum], hidden: Mask, small: Sequence[int], least: int) -> None:
        self._hidden, self._least = hidden.copy(), least
        self._first = len(values)
        self._raised = {cell: self._first + number for number, cell in enumerate(small)}
        # The class below `Highs`, which would print a notice and start a thread.
        self._solver = Quiet()
        for option, value in (("output_flag", False), ("threads", 1)):
            self._solver.setOptionValue(option, value)
        self._solver.passModel(self._program(values, sums))

    def open(self, hidden: Mask) -> None:
        """More is hidden than before."""
        for cell in np.flatnonzero(hidden & ~self._hidden):
            self._solver.changeColBounds(int(cell), 1.0, np.inf)
        self._hidden = hidden.copy()

    def unexposed(self, cells: Sequence[int]) -> set[int]:
        """Those of the small `cells` that are `least` or more in one solution, made so that the first one is if it can be.

        The solution is the proof that they are not exposed. Of two that share a rest, unequal weights give one all of it.
        """
        weights = np.linspace(2.0, 1.0, len(cells))
        weights[0] = 4.0 * float(self._hidden.sum())  # its gain outweighs what all others lose by it
        cost = np.zeros(len(self._raised))
        cost[[self._raised[cell] - self._first for cell in cells]] = weights
        columns = np.arange(self._first, self._first + len(cost), dtype=np.int32)
        self._solver.changeColsCost(len(cost), columns, cost)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:  # the true table is a solution
            message = f"the audit of small cells has no answer: {self._solver.getModelStatus()}"
            raise ArithmeticError(message)
        found = np.asarray(self._solver.getSolution().col_value)
        return {cell for cell in cells if found[self._raised[cell]] > self._least - TOLERANCE}

    def _program(self, values: Numbers, sums: Sequence[Sum]) -> highspy.HighsLp:
        """Columns: the cells, then of each small one how much of it counts, at most `least`. Rows: sums, then that it is there."""
        many = len(self._raised)
        program = highspy.HighsLp()
        program.sense_ = highspy.ObjSense.kMaximize
        program.num_col_, program.num_row_ = self._first + many, len(sums) + many
        program.col_cost_ = np.zeros(program.num_col_)
        program.col_lower_ = np.concatenate([np.where(self._hidden, 1.0, values), np.zeros(many)])
        program.col_upper_ = np.concatenate([np.where(self._hidden, np.inf, values), np.full(many, float(self._least))])
        program.row_lower_ = np.zeros(program.num_row_)
        program.row_upper_ = np.concatenate([np.zeros(len(sums)), np.full(many, np.inf)])
        rows = [[(one.total, -1.0), *((part, 1.0) for part in one.parts)] for one in sums]
        rows += [[(cell, 1.0), (column, -1.0)] for cell, column in self._raised.items()]
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.array([0, *np.cumsum([len(row) for row in rows])], dtype=np.int32)
        program.a_matrix_.index_ = np.array(list(_each(rows, 0)), dtype=np.int32)
        program.a_matrix_.value_ = np.array(list(_each(rows, 1)))
        return program


def _each(rows: list[list[tuple[int, float]]], which: int) -> Iterable[float]:
    return (entry[which] for row in rows for entry in row)
