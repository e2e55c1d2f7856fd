"""What a reader of a published table can compute about its hidden cells, each by a linear program of its own.

Pure, and apart from `view.audit`, so that tests attack masks with other code than made them. The reader knows every sum, every published number, that zeros are published, and so that a hidden cell is at least 1.
A small cell is *exposed* when all that is published holds it below `least`; one that may be `least` or more is neither
known exactly nor known to be small. Bounds are over the reals (docs/decisions/0030-small-cells.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from view.sums import Sum


class System:
    """The equations about the hidden cells: what the sums say once the published numbers are put in."""

    def __init__(self, values: NDArray[np.int64], sums: Sequence[Sum], hidden: NDArray[np.bool_]) -> None:
        self.cells = [int(cell) for cell in np.flatnonzero(hidden)]
        self.column = {cell: number for number, cell in enumerate(self.cells)}
        rows: list[int] = []
        columns: list[int] = []
        signs: list[float] = []
        rest: list[float] = []
        for one in sums:
            signed = [(one.total, -1), *((part, 1) for part in one.parts)]
            inside = [(self.column[cell], sign) for cell, sign in signed if hidden[cell]]
            if not inside:
                continue
            rows += [len(rest)] * len(inside)
            columns += [where for where, _ in inside]
            signs += [float(sign) for _, sign in inside]
            rest.append(float(-sum(sign * int(values[cell]) for cell, sign in signed if not hidden[cell])))
        self.matrix = csr_array((signs, (rows, columns)), shape=(len(rest), len(self.cells)))
        self.rest = np.array(rest)


def bounds(system: System, cell: int, *, whole: bool = False) -> tuple[float, float]:
    """Least and most that a hidden cell can be, given everything published; most may be infinite.

    `whole`: over whole numbers, which is tighter and may take long. KeyError: the cell is published.
    """
    cost = np.zeros(len(system.cells))
    cost[system.column[cell]] = 1.0
    least = _solve(cost, system, whole=whole)
    most = _solve(-cost, system, whole=whole)
    return float(least.fun), float("inf") if most is None else -float(most.fun)


def _solve(cost: NDArray[np.float64], system: System, *, whole: bool) -> Any:
    """The solution of least cost; None: there is none because the cost has no lower bound."""
    result = linprog(
        cost,
        A_eq=system.matrix if len(system.rest) else None,
        b_eq=system.rest if len(system.rest) else None,
        bounds=(1, None),
        method="highs",
        integrality=np.ones(len(cost)) if whole else None,
    )
    # Over whole numbers HiGHS may not tell "unbounded" from "infeasible"; the true table is a solution.
    return None if result.status == 3 or "nbounded" in result.message else _checked(result)


def _checked(result: Any) -> Any:
    if result.status != 0:  # the true table is a solution
        message = f"the audit of small cells has no answer: {result.message}"
        raise ArithmeticError(message)
    return result
