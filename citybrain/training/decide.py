"""From scores to decisions: what each label's score has to be shifted by, and how sure a score is."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

STEPS: Final = np.linspace(-1.0, 1.0, 41)
ROUNDS: Final = 2
COST: Final = 0.02
"""Macro-F1 that a shift by one standard deviation of the scores must bring: chance brings less."""
KEEP: Final = 0.7
"""A shift that is best on some texts is too large on others."""


def macro_f1(truth: Labels, given: Labels, count: int) -> float:
    """Mean over the labels in `truth` of F1 = 2 hits / (rows of the label + rows given it)."""
    rows = np.bincount(truth, minlength=count)
    both = rows + np.bincount(given, minlength=count)
    hits = np.bincount(truth[truth == given], minlength=count)
    return float(np.mean((2 * hits / np.maximum(both, 1))[rows > 0]))


def best_shifts(scores: Floats, truth: Labels) -> Floats:
    """What to add to each label's scores for the best macro-F1, by coordinate ascent over a smoothed grid.

    `scores` have to come from models that had not seen the texts. Large shifts pay COST, and KEEP of the best is taken.
    """
    count = scores.shape[1]
    spread = float(scores.std()) or 1.0
    shifts = np.zeros(count)
    for _ in range(ROUNDS):
        for label in range(count):
            gains = np.array([_gain(scores, truth, shifts, label, step * spread) - COST * abs(step) for step in STEPS])
            smooth = np.convolve(np.pad(gains, 1, mode="edge"), np.ones(3) / 3, "valid")
            shifts[label] = STEPS[int(np.argmax(smooth))] * spread
    return KEEP * shifts


def _gain(scores: Floats, truth: Labels, shifts: Floats, label: int, shift: float) -> float:
    tried = shifts.copy()
    tried[label] = shift
    return macro_f1(truth, np.argmax(scores + tried, axis=1), len(tried))


def best_temperature(scores: Floats, truth: Labels) -> float:
    """The temperature under which softmax(scores / temperature) gives the true labels the greatest likelihood (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        heated = scores / np.exp(log_temperature)
        return float(np.mean(logsumexp(heated, axis=1) - heated[np.arange(len(truth)), truth]))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x))
