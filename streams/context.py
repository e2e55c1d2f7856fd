"""Words that change what the terms beside them mean: phrases that hide terms, negation, and contexts such as a drill.

Such words are found in the same pass as the terms; only texts that hold one are touched and read again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.text_model import TextModel
from streams.matching import CLAUSE_END, HIDDEN, NEGATED, Finder, Places, is_latin, needle

FIRST_PRIVATE: Final = 0xE000
MOST_PROTECTED: Final = 6400
"""Terms that hold a negator themselves (`没有发工资`) stand as one private character while negation is looked for."""
PRIVATE: Final = "[\ue000-\uf8ff]"


class ContextReader:
    """The context of one model's terms, compiled once. Its words are looked for in the same pass as the terms."""

    def __init__(self, model: TextModel) -> None:
        terms = list(model.terms)
        self.names = list(model.contexts)
        context_terms = {name: list(context.terms) for name, context in model.contexts.items()}
        changing = [*model.masks, *model.negation.negators, *model.negation.clause]
        own = {needle(term) for term in terms}
        more = {needle(word): word for word in [*changing, *(term for some in context_terms.values() for term in some)]}
        self.finder = Finder([*terms, *(word for text, word in more.items() if text not in own)])
        size = len(self.finder)
        self._changes = np.zeros(size, dtype=bool)
        self._changes[[self.finder.number(word) for word in changing]] = True
        self._context_of = np.zeros((len(self.names), size), dtype=bool)
        for column, name in enumerate(self.names):
            self._context_of[column, [self.finder.number(term) for term in context_terms[name]]] = True
        self._raises = np.array([context.raise_by for context in model.contexts.values()])
        self._substrings = _Language([term for term in terms if not is_latin(term)], model, latin=False)
        self._words = _Language([term for term in terms if is_latin(term)], model, latin=True)
        self._terms = len(terms)

    def read(self, lower: pl.Series, words: pl.Series) -> tuple[Places, npt.NDArray[np.bool_]]:
        """Places of the model's terms where they mean what they say, and rows x contexts: which context each text holds."""
        rows, which = self.finder.places(lower, words)
        contexts = np.zeros((len(lower), len(self.names)), dtype=bool)
        for column in range(len(self.names)):
            contexts[rows[self._context_of[column][which]], column] = True
        touched = np.unique(rows[self._changes[which]])
        if len(touched):
            clean = self._substrings.clean(lower[touched]), self._words.clean(words[touched])
            again = self.finder.places(*clean)
            whole = np.ones(len(lower), dtype=bool)
            whole[touched] = False
            untouched = whole[rows]
            rows = np.concatenate([rows[untouched], touched[again.rows]])
            which = np.concatenate([which[untouched], again.terms])
        of_terms = which < self._terms
        return Places(rows[of_terms], which[of_terms]), contexts

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
        """The texts without the terms that a phrase hides or a negator takes back."""
        texts = texts.str.replace_all(PRIVATE, HIDDEN)  # a text that brings such a character must not bring a term with it
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
