"""Which cells of a published table are hidden, so that no small one can be computed from the rest.

Pure. A table is a vector of whole numbers and sums over it (`sums.Sum`: one cell is the sum of others). Cells of 1 to 4 are
*small* and hidden; others are hidden beside them (*complements*) until the audit (`view.audit`) finds no small cell
that the sums hold below 5. Zero is published as zero, and a hidden cell is therefore known to be at least 1.

What is guaranteed, and what is not: docs/decisions/0030-small-cells.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from view.audit import Audit
from view.sums import Mask, Numbers, Sum

LEAST_SHOWN: Final = 5
"""The smallest count that is published beside zero."""


def protect(
    values: Numbers, sums: Sequence[Sum], least: int = LEAST_SHOWN, also: Mask | None = None, worth: Numbers | None = None
) -> Mask:
    """True for every cell that is hidden: 0 < n < `least`, those marked in `also`, and their complements.

    Complements are cells of little `worth` first, as a grid before a town; among those of one worth the smallest.

    Ends for every table: when all but zeros is hidden, nothing bounds a cell from above. The same table gives the same
    mask. ValueError: a sum that the values do not keep.
    """
    for one in sums:
        if values[one.total] != sum(int(values[part]) for part in one.parts):
            message = f"cell {one.total} is {values[one.total]}, but its parts {one.parts} add up to another number"
            raise ValueError(message)
    small: Mask = (values > 0) & (values < least)
    hidden: Mask = small.copy() if also is None else small | (also & (values > 0))
    touching = _touching(len(values), sums)
    order = np.lexsort((np.arange(len(values)), values, np.zeros_like(values) if worth is None else worth))
    price = np.empty_like(values)
    price[order] = np.arange(len(values))
    _complement(values, sums, touching, hidden, least, price, range(len(sums)))
    left = [int(cell) for cell in np.flatnonzero(small)]
    audit = Audit(values, sums, hidden, left, least)
    while left:
        safe = audit.unexposed(left)
        if left[0] not in safe:
            cell = _hide_one_more(values, sums, touching, hidden, left[0], price)
            _complement(values, sums, touching, hidden, least, price, touching[cell])
            audit.open(hidden)
        # Hiding more only loosens what is known: a cell that was found safe stays safe.
        left = [cell for cell in left if cell not in safe]
    return hidden


def _cells(one: Sum) -> tuple[int, ...]:
    return (one.total, *one.parts)


def _touching(cells: int, sums: Sequence[Sum]) -> list[list[int]]:
    """Of each cell the sums it stands in."""
    found: list[list[int]] = [[] for _ in range(cells)]
    for number, one in enumerate(sums):
        for cell in _cells(one):
            found[cell].append(number)
    return found


def _complement(
    values: Numbers,
    sums: Sequence[Sum],
    touching: list[list[int]],
    hidden: Mask,
    least: int,
    price: Numbers,
    changed: Iterable[int],
) -> None:
    """Hide until each sum, looked at alone, leaves its hidden cells open. `changed`: sums to begin with.

    One hidden cell alone would be the rest of the sum. And of k hidden parts under a shown total no part is more than
    what they add up to less k - 1, as each is at least 1: so they have to add up to k + `least` - 1 or more.
    """
    waiting = list(changed)
    while waiting:
        one = sums[waiting.pop()]
        parts = [part for part in one.parts if hidden[part]]
        alone = len(parts) + int(hidden[one.total]) == 1
        spare = sum(int(values[part]) - 1 for part in parts)
        if alone or (parts and not hidden[one.total] and spare < least - 1):
            cell = _cheapest(values, one, hidden, price)
            hidden[cell] = True
            waiting.extend(touching[cell])


def _cheapest(values: Numbers, one: Sum, hidden: Mask, price: Numbers) -> int:
    """The cheapest part above zero that is shown, else the total: a total tells more than a part.

    One always exists: where only the total is hidden it has a part above zero, else the total itself is shown.
    """
    parts = [part for part in one.parts if values[part] > 0 and not hidden[part]]
    return min(parts, key=lambda part: int(price[part])) if parts else one.total


def _hide_one_more(
    values: Numbers, sums: Sequence[Sum], touching: list[list[int]], hidden: Mask, cell: int, price: Numbers
) -> int:
    """Hide and give the cheapest shown cell above zero that stands in a sum with `cell`, or with what is hidden around it.

    One exists: where all around is hidden or zero, every sum may be any times as large, and `cell` is not exposed.
    """
    seen, front = {cell}, [cell]
    while front:
        near = {other for at in front for number in touching[at] for other in _cells(sums[number])}
        shown = [other for other in near if values[other] > 0 and not hidden[other]]
        if shown:
            chosen = min(shown, key=lambda other: int(price[other]))
            hidden[chosen] = True
            return chosen
        front = [other for other in near if hidden[other] and other not in seen]
        seen.update(front)
    message = f"cell {cell} is bounded although nothing above zero is published around it"
    raise ArithmeticError(message)
