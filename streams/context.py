"""Words that change what the terms beside them mean: phrases that hide terms, negation, and contexts such as a drill.

Only texts that hold such a word are touched; the rest pass by one search.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.text_model import TextModel
from streams.matching import CLAUSE_END, HIDDEN, NEGATED, Finder, is_latin, needle

FIRST_PRIVATE: Final = 0xE000
MOST_PROTECTED: Final = 6400
"""Terms that hold a negator themselves (`没有发工资`) stand as one private character while negation is looked for."""


class ContextReader:
    """The context of one model's terms, compiled once."""

    def __init__(self, model: TextModel) -> None:
        terms = list(model.terms)
        context_terms = [(name, term) for name, context in model.contexts.items() for term in context.terms]
        self.names = list(model.contexts)
        self._finder = Finder([term for _, term in context_terms])
        self._context_of = np.array([self.names.index(name) for name, _ in context_terms], dtype=np.int64)
        self._raises = np.array([context.raise_by for context in model.contexts.values()])
        negation = model.negation
        triggers = [*model.masks, *negation.negators, *negation.clause, *(term for _, term in context_terms)]
        self._substrings = _Language([term for term in terms if not is_latin(term)], model, latin=False)
        self._words = _Language([term for term in terms if is_latin(term)], model, latin=True)
        self._triggers = [needle(word) for word in triggers if not is_latin(word)]
        self._word_triggers = [needle(word) for word in triggers if is_latin(word)]

    def suspects(self, lower: pl.Series, words: pl.Series) -> npt.NDArray[np.int64]:
        """Rows that hold a word which may change a meaning."""
        found = np.zeros(len(lower), dtype=bool)
        for texts, triggers in ((lower, self._triggers), (words, self._word_triggers)):
            if triggers:
                found |= texts.str.contains_any(triggers).fill_null(value=False).to_numpy()
        return np.flatnonzero(found)

    def clean(self, lower: pl.Series, words: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The texts without the terms that are hidden by a phrase or negated."""
        return self._substrings.clean(lower), self._words.clean(words)

    def contexts(self, lower: pl.Series, words: pl.Series) -> npt.NDArray[np.bool_]:
        """Rows x contexts: which context each text holds."""
        rows, terms = self._finder.find(lower, words).nonzero()
        found = np.zeros((len(lower), len(self.names)), dtype=bool)
        found[rows, self._context_of[terms]] = True
        return found

    def raises(self, contexts: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """What the contexts of each row add to the score it needs."""
        return np.asarray(contexts @ self._raises, dtype=np.float64)


class _Language:
    """Masks and negation of the substring terms, or of the terms that are words."""

    def __init__(self, terms: Sequence[str], model: TextModel, *, latin: bool) -> None:
        negation = model.negation
        self._masks = _longest_first(needle(mask) for mask in model.masks if is_latin(mask) == latin)
        self._hidden = f" {HIDDEN} " if latin else HIDDEN
        negators = [word for word in negation.negators if is_latin(word) == latin]
        clause = [word for word in negation.clause if is_latin(word) == latin]
        fillers = [word for word in negation.fillers if is_latin(word) == latin]
        own = [needle(term) for term in terms if any(needle(word) in needle(term) for word in [*negators, *clause])]
        self._own = _longest_first(own)
        if len(self._own) > MOST_PROTECTED:
            raise ValueError(f"{len(self._own)} terms hold a negator; at most {MOST_PROTECTED} can")
        self._stand_ins = [chr(FIRST_PRIVATE + i) for i in range(len(self._own))]
        self._negator = _negator(negators if not latin else [*negators, *clause], fillers, negation.reach, latin=latin)
        self._clause = f"(?:{_any(clause)})[^{re.escape(CLAUSE_END)}]*" if clause and not latin else None
        self._negated = [] if latin else _longest_first(NEGATED + needle(term) for term in terms)

    def clean(self, texts: pl.Series) -> pl.Series:
        if self._masks:
            texts = texts.str.replace_many(self._masks, [self._hidden], leftmost=True)
        if self._own:
            texts = texts.str.replace_many(self._own, self._stand_ins, leftmost=True)
        if self._clause:
            texts = texts.str.replace_all(self._clause, HIDDEN)
        if self._negator:
            texts = texts.str.replace_all(self._negator, NEGATED)
        if self._negated:
            texts = texts.str.replace_many(self._negated, [HIDDEN], leftmost=True)
        return texts.str.replace_many(self._stand_ins, self._own) if self._own else texts


def _negator(negators: Sequence[str], fillers: Sequence[str], reach: int, *, latin: bool) -> str | None:
    """A negator and the fillers after it, up to where a term may begin. Words keep no blank, so no term begins there."""
    if not negators:
        return None
    if not latin:
        return f"(?:{_any(negators)})(?:{_any(fillers)}){{0,{reach}}}" if fillers else f"(?:{_any(negators)})"
    gap = f"(?: +(?:{_any(fillers)})){{0,{reach}}}" if fillers else ""
    return f" (?:{_any(negators)}){gap} +"


def _any(words: Sequence[str]) -> str:
    return "|".join(re.escape(needle(word).strip()) for word in _longest_first(words))


def _longest_first(words: object) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))  # type: ignore[call-overload]
