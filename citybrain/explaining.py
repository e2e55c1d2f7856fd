"""Why a model gives one text its label: what each term adds, what the other labels got, what the context asked for."""

from __future__ import annotations

from typing import Any

import polars as pl

from citybrain.models import category_of
from streams.scorer import UNIT, Scorer

LABELS = 3


def explain(scorer: Scorer, text: str, most_terms: int) -> dict[str, Any]:
    """The decision as one object. `terms` holds what speaks for and against the best label, heaviest first."""
    texts = pl.Series([text], dtype=pl.String)
    matrix = scorer.matrix(texts)
    (row,) = scorer.score(texts).to_dicts()
    model, scores = scorer.model, matrix.millionths[0] / UNIT
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    best = model.labels[order[0]]
    adds = [
        (scorer.terms[term], model.terms[scorer.terms[term]].get(best, 0.0) * times / matrix.norms[0])
        for term, times in zip(matrix.hits.indices, matrix.hits.data, strict=True)
    ]
    adds.sort(key=lambda pair: -abs(pair[1]))
    return {
        "label": row["label"],
        "category": category_of(row["label"]),
        "confidence": round(row["confidence"], 6),
        "best": best,
        "score": round(row["score"], 6),
        "needed": row["needed"],
        "bias": model.bias.get(best, 0.0),
        "terms": [{"term": term, "weight": round(weight, 6)} for term, weight in adds[:most_terms] if weight],
        "scores": {model.labels[i]: round(float(scores[i]), 6) for i in order[:LABELS]},
        "contexts": {name: model.contexts[name].raise_by for name in row["contexts"]},
        "model": model.name,
        "version": model.version,
    }
