"""From labelled texts to a model and a report of what to expect of it. Why in this way: docs/decisions/0023."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import softmax

from citybrain.training.decide import best_shifts, best_temperature
from citybrain.training.features import count_terms, scaled, scales_of
from citybrain.training.measures import measure
from citybrain.training.separate import NEVER, directions_of, separate, written_directions
from citybrain.training.vocabulary import MOST_READ, choose_terms
from schemas.errors import BadTraining
from schemas.text_model import Temperature, TextModel, hash_of

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Progress = Callable[[str], None]

FOLDS: Final = 5
REPEATS: Final = 4
FEW: Final = 1_500
"""Below so many texts, folds are drawn REPEATS times: one draw says too little."""
LEAST_ROWS: Final = 2
DIGITS: Final = 4


class Way(NamedTuple):
    """`balance`: power of others / ours that a text of the rarer side weighs. `lent`: length of what the written rules lend."""

    balance: float
    lent: float


WAYS: Final = (Way(0.5, 0.5), Way(1.0, 0.5), Way(1.0, 1.0), Way(0.5, 0.0), Way(1.0, 0.0))
"""Tried one after the other. Many texts want no balance, since shifts give it; few and rare ones do. Those that borrow are for when there are rules."""


class Trained(NamedTuple):
    """`report` holds the cross-validated figures of `measures.measure` and what was learned from."""

    model: TextModel
    report: dict[str, Any]


class _Rows(NamedTuple):
    """What is learned from: rows of length 1, labels as numbers, directions of the unlabelled texts."""

    features: sparse.csr_matrix
    labels: Labels
    kinds: int
    directions: Floats | None


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    unlabelled: Sequence[str] = (),
    *,
    written: Mapping[str, Mapping[str, float]] | None = None,
    name: str = "trained",
    data: str = "",
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Trained:
    """A linear model of the labels. The same texts and seed give the same model.

    Terms, their scales and directions are chosen without looking at labels; weights are support vectors; shifts of the
    labels and the temperature come from scores of texts by models that had not seen them. The report's figures are made in
    the same way, with the shifts taken from other folds; of the WAYS the one with the best macro-F1 is kept. `written`
    (term: label: weight), of whatever labels, lends its terms and what belongs together among them.
    BadTraining: fewer than two labels, or one of a single text.
    """
    names = sorted(set(labels))
    _check(names, labels)
    numbers = np.searchsorted(np.array(names), np.array(labels))
    unlabelled = list(unlabelled)[:MOST_READ]
    progress(f"choosing terms in {len(texts):,} texts with and {len(unlabelled):,} without label")
    terms = choose_terms(texts, unlabelled, written or ())
    counts = count_terms([*texts, *unlabelled], terms)
    if not counts[: len(texts)].nnz:
        raise BadTraining("no term stands in two texts; wanted texts of some words each")
    scales = scales_of(counts, terms)
    rows = scaled(counts, scales)
    ours = rows[: len(texts)]
    common = directions_of(rows[len(texts) :], seed)
    lent = written_directions(ours, terms, scales, written) if written else None
    material = {
        way: _Rows(ours, numbers, len(names), _beside(common, lent, way.lent))
        for way in WAYS
        if (way.lent > 0) == (lent is not None)
    }
    tried = {way: _try(some, names, way, seed, progress) for way, some in material.items()}
    way = max(tried, key=lambda one: tried[one].figures["macro_f1"])
    scores, folds, report = tried[way]
    truth = np.tile(numbers, len(folds))
    progress("choosing shifts of the labels")
    shifts = best_shifts(np.vstack(scores), truth)
    temperature = best_temperature(np.vstack(scores) + shifts, truth)
    progress(f"learning {len(terms):,} terms x {len(names)} labels from all texts")
    weights, bias = separate(ours, numbers, len(names), material[way].directions, seed, way.balance)
    model = _model(name, data, names, terms, scales, weights, bias + shifts, temperature)
    learned = {
        "rows": len(texts),
        "unlabelled": len(unlabelled),
        "terms": len(terms),
        "labels": len(names),
        "way": way._asdict(),
    }
    others = [{**one._asdict(), "macro_f1": result.figures["macro_f1"]} for one, result in tried.items()]
    return Trained(model, report | learned | {"tried": others})


def _beside(common: Floats | None, lent: Floats | None, share: float) -> Floats | None:
    """Directions of the unlabelled texts, and those that the written rules lend, of length `share`."""
    found = [some for some in (common, None if lent is None or not share else lent * share) if some is not None]
    return np.hstack(found) if found else None


class _Tried(NamedTuple):
    """One way to learn: scores of each text by models that had not seen it, the folds, and the figures."""

    scores: list[Floats]
    folds: list[Labels]
    figures: dict[str, Any]


def _try(material: _Rows, names: Sequence[str], way: Way, seed: int, progress: Progress) -> _Tried:
    scores, folds = _unseen_scores(material, way, seed, progress)
    return _Tried(scores, folds, _figures(names, material.labels, scores, folds))


def _check(names: Sequence[str], labels: Sequence[str]) -> None:
    if len(names) < 2:
        raise BadTraining(f"got {len(names)} label(s) ({', '.join(names) or 'none'}); wanted two or more")
    rare = [name for name in names if labels.count(name) < LEAST_ROWS]
    if rare:
        raise BadTraining(f"labels {', '.join(rare)} have one text each; wanted {LEAST_ROWS} or more, or leave those rows out")


def folds_of(labels: Labels, seed: int) -> Labels:
    """A fold for each text, each label spread over the folds as evenly as it can be."""
    draw = np.random.default_rng(seed)
    folds = np.empty(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        where = draw.permutation(np.flatnonzero(labels == label))
        folds[where] = (np.arange(len(where)) + draw.integers(FOLDS)) % FOLDS
    return folds


def _unseen_scores(material: _Rows, way: Way, seed: int, progress: Progress) -> tuple[list[Floats], list[Labels]]:
    """Scores of each text by a model of the other folds, for each draw of the folds."""
    repeats = REPEATS if len(material.labels) < FEW else 1
    all_scores, all_folds = [], []
    for repeat in range(repeats):
        folds = folds_of(material.labels, seed + repeat)
        scores = np.full((len(folds), material.kinds), NEVER)
        for fold in range(FOLDS):
            progress(f"cross-validation {repeat * FOLDS + fold + 1} of {repeats * FOLDS}, {way}")
            here = folds == fold
            known = separate(
                material.features[~here], material.labels[~here], material.kinds, material.directions, seed, way.balance
            )
            scores[here] = known.scores(material.features[here])
        all_scores.append(scores)
        all_folds.append(folds)
    return all_scores, all_folds


def _figures(names: Sequence[str], truth: Labels, scores: Sequence[Floats], folds: Sequence[Labels]) -> dict[str, Any]:
    """Figures of the texts of each fold under shifts and temperature of the other folds, over all draws."""
    true, given, sure = [], [], []
    for draw, fold_of in zip(scores, folds, strict=True):
        for fold in range(FOLDS):
            here = fold_of == fold
            shifts = best_shifts(draw[~here], truth[~here])
            temperature = best_temperature(draw[~here] + shifts, truth[~here])
            shifted = draw[here] + shifts
            true += [names[i] for i in truth[here]]
            given += [names[i] for i in shifted.argmax(axis=1)]
            sure += softmax(shifted / temperature, axis=1).max(axis=1).tolist()
    return measure(true, given, sure, "")


def _model(
    name: str,
    data: str,
    names: Sequence[str],
    terms: Sequence[str],
    scales: Floats,
    weights: Floats,
    bias: Floats,
    temperature: float,
) -> TextModel:
    """The model's weights are the planes' times the scale: the scorer divides by the length of the scales found."""
    by_term = np.round(weights * scales[:, None], DIGITS)
    model = TextModel(
        name=name,
        version="",
        labels=tuple(names),
        terms={
            term: {label: float(weight) for label, weight in zip(names, row, strict=True) if weight}
            for term, row in zip(terms, by_term, strict=True)
        },
        bias={label: round(float(value), DIGITS) for label, value in zip(names, bias, strict=True)},
        normalisation="l2",
        counts="log",
        scales={term: round(float(scale), DIGITS) for term, scale in zip(terms, scales, strict=True)},
        calibration=Temperature(temperature=round(temperature, 6)),
        data="",
    )
    return model.model_copy(update={"version": f"{name}-{hash_of(model)[:8]}", "data": data})
