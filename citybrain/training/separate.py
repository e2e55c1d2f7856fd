"""Weights that tell each label from the others: linear support vectors.

A term is larger for a label that it tells by itself: by the logarithm of how much more it stands in its texts than in others
(naive Bayes as features of support vectors; Wang and Manning 2012, "Baselines and Bigrams"). That scale is folded back too.
What terms have in common comes from elsewhere too: from texts without labels (their strongest directions, by truncated SVD
as in latent semantic analysis) and from the written rules (the terms of a class are one direction). Directions are additional
features, and as both steps are linear, their weights are folded back into the terms'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.svm import LinearSVC
from sklearn.utils.extmath import randomized_svd

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

STRENGTH: Final = 4.0
"""C = STRENGTH / sqrt(texts): the fewer texts, the more each may bend the weights."""
DIRECTIONS: Final = 64
SHARE: Final = 0.5
"""Length of a text's directions beside its terms, which have length 1."""
PRIOR: Final = 0.01
"""Of a term in a label's texts: what is added to its mean length in them, which is about 0.1 for a word of the matter."""
TELLING: Final = 0.3
"""Part of a term's scale that is its log ratio; the rest is the same for all terms."""
LEAST_UNLABELLED: Final = 200
NEVER: Final = -10.0
"""Score of a label that was not among the texts learned from."""


class Separation(NamedTuple):
    """`weights`: terms x labels, `bias`: one a label."""

    weights: Floats
    bias: Floats

    def scores(self, rows: sparse.csr_matrix) -> Floats:
        """Texts x labels."""
        return np.asarray(rows @ self.weights + self.bias)


def directions_of(rows: sparse.csr_matrix, seed: int) -> Floats | None:
    """Terms x directions that unlabelled texts vary along, scaled to give them length SHARE; None for too few texts."""
    if rows.shape[0] < LEAST_UNLABELLED:
        return None
    _, _, found = randomized_svd(rows, min(DIRECTIONS, min(rows.shape) - 1), random_state=seed)
    length = np.sqrt(((rows @ found.T) ** 2).sum(axis=1).mean())
    return np.asarray(found.T * (SHARE / max(length, np.finfo(float).tiny)))


def written_directions(
    rows: sparse.csr_matrix, terms: Sequence[str], scales: Floats, written: Mapping[str, Mapping[str, float]]
) -> Floats | None:
    """Terms x labels of `written` (term: label: weight): a text's length along one is what that label's terms weigh in it.

    Scaled to give the texts length 1 in the mean. None where no term of `written` stands in the rows.
    """
    place = {term: number for number, term in enumerate(terms)}
    column = {
        label: number for number, label in enumerate(sorted({label for of_term in written.values() for label in of_term}))
    }
    found = np.zeros((len(terms), len(column)))
    for term, weights in written.items():
        if term in place:
            for label, weight in weights.items():
                found[place[term], column[label]] = weight / scales[place[term]]
    length = np.sqrt(((rows @ found) ** 2).sum(axis=1).mean())
    return np.asarray(found / length) if length else None


def separate(
    rows: sparse.csr_matrix, labels: Labels, count: int, directions: Floats | None, seed: int, balance: float = 1.0
) -> Separation:
    """One plane a label, between its texts and all others; a text of the rarer side weighs more, by the power `balance`."""
    common = None if directions is None else sparse.csr_matrix(rows @ directions)
    weights, bias = np.zeros((rows.shape[1], count)), np.full(count, NEVER)
    for label in range(count):
        ours = labels == label
        if not ours.any():
            continue
        if ours.all():
            bias[label] = 0.0
            continue
        telling = telling_of(rows, ours)
        own = rows @ sparse.diags(telling)
        weight = np.where(ours, ((~ours).sum() / ours.sum()) ** balance, 1.0)
        machine: Any = LinearSVC(C=STRENGTH / np.sqrt(len(labels)), random_state=seed, max_iter=10_000)
        machine.fit(own if common is None else sparse.hstack([own, common]).tocsr(), ours, sample_weight=weight)
        found, bias[label] = machine.coef_[0], machine.intercept_[0]
        weights[:, label] = telling * found[: rows.shape[1]]
        if directions is not None:
            weights[:, label] += directions @ found[rows.shape[1] :]
    return Separation(weights, bias)


def telling_of(rows: sparse.csr_matrix, ours: npt.NDArray[np.bool_]) -> Floats:
    """A scale for each term, 1 in the mean: larger for terms that stand much more, or much less, in our texts than in others."""
    here, there = (np.asarray(rows[side].mean(axis=0)).ravel() + PRIOR for side in (ours, ~ours))
    ratio = np.abs(np.log(here / there))
    mixed = (1.0 - TELLING) * ratio.mean() + TELLING * ratio
    return np.asarray(mixed / mixed.mean()) if mixed.any() else np.ones(len(mixed))
