"""How right given labels are: the figures of `evaluate` and of the report of `train`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

BINS: Final = 10


def measure(truth: Sequence[str], given: Sequence[str], sure: Sequence[float], unclassified: str) -> dict[str, Any]:
    """Figures over rows of true label, given label and confidence.

    Macro-F1 is the mean of F1 over the labels that stand in `truth`; a row without a given label counts against its label's
    recall. `coverage` is the share of rows that were given a label; `calibration_error` the mean distance between confidence
    and share of right ones in BINS equal bins of confidence, weighted by rows (expected calibration error), over the
    rows given a label. `confusion` is {true label: {given label: rows}}.
    """
    rows, gave = Counter(truth), Counter(given)
    hits = Counter(true for true, label in zip(truth, given, strict=True) if true == label)
    per_class = {label: _figures(hits[label], gave[label], rows[label]) for label in sorted(rows)}
    total = max(len(truth), 1)
    confusion: dict[str, dict[str, int]] = {}
    for (true, label), count in sorted(Counter(zip(truth, given, strict=True)).items()):
        confusion.setdefault(true, {})[label] = count
    claims = [(s, t == g) for t, g, s in zip(truth, given, sure, strict=True) if g != unclassified]
    return {
        "macro_f1": round(float(np.mean([figures["f1"] for figures in per_class.values()])) if per_class else 0.0, 6),
        "accuracy": round(sum(hits.values()) / total, 6),
        "coverage": round(1.0 - gave[unclassified] / total, 6),
        "per_class": per_class,
        "confusion": confusion,
        "calibration_error": _calibration_error(claims),
    }


def _figures(hits: int, gave: int, rows: int) -> dict[str, Any]:
    return {
        "precision": round(hits / gave, 6) if gave else 0.0,
        "recall": round(hits / rows, 6) if rows else 0.0,
        "f1": round(2 * hits / (gave + rows), 6) if gave + rows else 0.0,
        "support": rows,
    }


def _calibration_error(claims: Sequence[tuple[float, bool]]) -> float:
    if not claims:
        return 0.0
    sure = np.array([claim[0] for claim in claims])
    right = np.array([claim[1] for claim in claims], dtype=float)
    where = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(where, weights=sure - right, minlength=BINS)
    return round(float(np.abs(gaps).sum() / len(claims)), 6)
