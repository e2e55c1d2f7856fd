"""Scores of texts under a text model, by the column: label, confidence, and the terms that decided.

score(label) = bias + sum of weights of the distinct terms found, over the l2 norm of their scales where the model says so,
each term counting once or by the logarithm of how often it stands (`schemas.text_model`). Terms x texts is a sparse matrix,
so a built-in model of a few hits a text and a trained one of a hundred are the same product.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from scipy import sparse

from schemas.text_model import Lead, Platt, Temperature, TextModel
from streams.context import ContextReader
from streams.matching import counted, lowered, words_of

MAX_EVIDENCE_TERMS: Final = 3
ROWS_AT_ONCE: Final = 20_000
UNIT: Final = 1_000_000
"""Weights are summed as whole millionths, so that sums of tenths tie as they are written, in any order."""

SCORED: Final[dict[str, pl.DataType]] = {
    "label": pl.String(),
    "confidence": pl.Float64(),  # 0 for unclassified: nothing is claimed
    "score": pl.Float64(),  # of the best label, also of one not given
    "needed": pl.Float64(),  # threshold and what contexts added; null without a threshold
    "terms": pl.List(pl.String),  # evidence, heaviest first; empty for unclassified
    "weights": pl.List(pl.Float64),
    "contexts": pl.List(pl.String),
}

Floats = npt.NDArray[np.float64]


class Matrix(NamedTuple):
    """Scores of all labels in millionths, rows x labels, with what is behind each row: hits (rows x terms), norm, contexts."""

    millionths: Floats
    hits: sparse.csr_matrix
    norms: Floats
    contexts: npt.NDArray[np.bool_]


class Scorer:
    """A model compiled for scoring. Building one takes milliseconds to a second; using it is pure."""

    def __init__(self, model: TextModel) -> None:
        self.model = model
        self.terms = list(model.terms)
        self._context = ContextReader(model)
        self.finder = self._context.finder
        column = {label: i for i, label in enumerate(model.labels)}
        self._weights = np.zeros((len(self.terms), len(model.labels)))
        for row, weights in enumerate(model.terms.values()):
            for label, weight in weights.items():
                self._weights[row, column[label]] = weight
        self._weights = np.round(self._weights * UNIT)
        self._bias = np.round(np.array([model.bias.get(label, 0.0) for label in model.labels]) * UNIT)
        self._squares = np.array([model.scales.get(term, 1.0) ** 2 for term in self.terms])
        self._none = column.get(model.unclassified, -1)
        self._by_label = np.hstack([self._weights, np.zeros((len(self.terms), 1))])  # nothing speaks for unclassified
        self._labels = pl.Series([*model.labels, model.unclassified], dtype=pl.String)
        self._term_names = pl.Series(self.terms, dtype=pl.String)
        self._context_names = pl.Series(self._context.names, dtype=pl.String)

    def score(self, texts: pl.Series) -> pl.DataFrame:
        """Columns of SCORED, a row a text in the texts' order."""
        parts = [self._score(texts.slice(start, ROWS_AT_ONCE)) for start in range(0, len(texts), ROWS_AT_ONCE)]
        return pl.concat(parts) if parts else pl.DataFrame(schema=SCORED)

    def matrix(self, texts: pl.Series) -> Matrix:
        """Scores of all labels. For millions of texts give slices: the matrix is dense."""
        lower = lowered(texts)
        words = words_of(lower)
        places, contexts = self._context.read(lower, words)
        hits = counted(places, (len(texts), len(self.terms)))
        hits.data = 1.0 + np.log(hits.data) if self.model.counts == "log" else np.ones_like(hits.data)
        norms = np.ones(len(texts))
        if self.model.normalisation == "l2":
            norms = np.sqrt(np.maximum(hits.power(2) @ self._squares, np.finfo(float).tiny))
            norms[np.diff(hits.indptr) == 0] = 1.0
        scores = hits @ self._weights
        if self.model.normalisation == "l2":
            scores /= norms[:, None]
        if self._bias.any():
            scores += self._bias
        return Matrix(scores, hits, norms, contexts)

    def _score(self, texts: pl.Series) -> pl.DataFrame:
        matrix = self.matrix(texts)
        best, top, second = _first_two(matrix.millionths)
        threshold = -np.inf if self.model.threshold is None else self.model.threshold
        needed = np.round((threshold + self._context.raises(matrix.contexts)) * UNIT)
        given = (top >= needed) & (top - second >= round(self.model.margin * UNIT)) & (np.diff(matrix.hits.indptr) > 0)
        given &= best != self._none  # a model may know what is none of its labels
        chosen = np.where(given, best, len(self.model.labels))
        sure = self._confidence(matrix.millionths, best, top / UNIT, np.maximum(second, needed) / UNIT)
        terms, weights = self._evidence(matrix, chosen)
        rows, contexts = np.nonzero(matrix.contexts)
        return pl.DataFrame({
            "label": self._labels.gather(chosen),
            "confidence": np.where(given, sure, 0.0),
            "score": top / UNIT,
            "needed": pl.Series(needed / UNIT) if self.model.threshold is not None else pl.Series([None] * len(texts)),
            "terms": terms,
            "weights": weights,
            "contexts": _lists(rows, contexts, self._context_names, len(texts)),
        }, schema=SCORED)  # fmt: skip

    def _evidence(self, matrix: Matrix, chosen: npt.NDArray[np.int64]) -> tuple[pl.Series, pl.Series]:
        """Up to MAX_EVIDENCE_TERMS terms and their weights for each classified row, heaviest first, then in the model's order."""
        rows = np.repeat(np.arange(len(chosen)), np.diff(matrix.hits.indptr))
        terms = matrix.hits.indices
        weights = self._by_label[terms, chosen[rows]] * matrix.hits.data
        counts = np.flatnonzero(weights > 0)
        rows, terms, weights = rows[counts], terms[counts], weights[counts]
        order = np.lexsort((-weights, rows))  # stable: terms of one row stand in the model's order already
        rows, terms, weights = rows[order], terms[order], weights[order]
        first = np.arange(len(rows)) - np.searchsorted(rows, rows) < MAX_EVIDENCE_TERMS
        rows, terms, weights = rows[first], terms[first], weights[first] / matrix.norms[rows[first]] / UNIT
        count = len(chosen)
        return _lists(rows, terms, self._term_names, count), _lists(rows, np.arange(len(rows)), pl.Series(weights), count)

    def _confidence(self, millionths: Floats, best: npt.NDArray[np.int64], top: Floats, rival: Floats) -> Floats:
        match self.model.calibration:
            case Lead(slope=slope, offset=offset, most=most):
                return _sigmoid(slope * np.clip(top - rival, 0.0, most) + offset)
            case Temperature(temperature=temperature):
                return np.asarray(1.0 / np.exp((millionths / UNIT - top[:, None]) / temperature).sum(axis=1))
            case Platt(slope=slopes, offset=offsets):
                labels = self.model.labels
                each = _sigmoid(millionths / UNIT * [slopes[label] for label in labels] + [offsets[label] for label in labels])
                return np.asarray(each[np.arange(len(best)), best] / np.maximum(each.sum(axis=1), np.finfo(float).tiny))


def _first_two(scores: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Column of the best score of each row, that score, and the next one (minus infinity where there is one label only)."""
    each = np.arange(len(scores))
    best = scores.argmax(axis=1)
    top = scores[each, best]
    scores[each, best] = -np.inf  # for a moment: a copy of all costs as much as the search
    second = scores.max(axis=1)
    scores[each, best] = top
    return best, top, second


def _lists(rows: npt.NDArray[np.int64], which: npt.NDArray[np.int64], names: pl.Series, count: int) -> pl.Series:
    """One list a row out of sorted row numbers; rows that are not named get an empty one."""
    offsets = np.searchsorted(rows, np.arange(count + 1)).astype(np.int64)
    values = names.gather(which).to_arrow()
    return pl.Series(pa.LargeListArray.from_arrays(offsets, values))


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))
