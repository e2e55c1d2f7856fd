"""Words that change what the terms beside them mean: phrases that hide terms, negation, and contexts such as a drill.

Such words are found in the same pass as the terms; only texts that hold one are touched and read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.text_model import TextModel
from streams.matching import CLAUSE_END, HIDDEN, NEGATED, Finder, Numbers, Places, is_latin, joined, needle

FIRST_PRIVATE: Final = 0xE000
MOST_PROTECTED: Final = 6400
"""Terms that hold a negator themselves (`没有发工资`) stand as one private character while negation is looked for."""
MARKS: Final = f"[\ue000-\uf8ff{HIDDEN}{NEGATED}]"
"""Characters that stand for what was taken out of a text, or is put back into it. No term may hold one."""


class ContextReader:
    """The context of one model's terms, compiled once. Its words are looked for in the same pass as the terms."""

    def __init__(self, model: TextModel) -> None:
        terms = list(model.terms)
        self.names = list(model.contexts)
        context_terms = {name: list(context.terms) for name, context in model.contexts.items()}
        changing = [*model.masks, *model.negation.negators, *model.negation.clause]
        own = {needle(term) for term in terms}
        more = {needle(word): word for word in [*changing, *(term for some in context_terms.values() for term in some)]}
        words = [*terms, *(word for text, word in more.items() if text not in own)]
        self.finder = Finder(words)
        size = len(self.finder)
        self._changes = np.zeros(size, dtype=bool)
        self._changes[[self.finder.number(word) for word in changing]] = True
        self._context_of = np.zeros((len(self.names), size), dtype=bool)
        for column, name in enumerate(self.names):
            self._context_of[column, [self.finder.number(term) for term in context_terms[name]]] = True
        self._raises = np.array([context.raise_by for context in model.contexts.values()])
        self._all = np.ones(size, dtype=bool)
        self._needles = pl.Series([needle(word) for word in words], dtype=pl.String)
        if marked := [word for word in words if re.search(MARKS, word)]:
            raise ValueError(
                f"terms {marked[:3]} hold a character that stands for words taken out ({HIDDEN}, {NEGATED}, private use)"
            )
        self._substrings = _Language([term for term in terms if not is_latin(term)], model, self.finder, latin=False)
        self._words = _Language([term for term in terms if is_latin(term)], model, self.finder, latin=True)
        self._terms = len(terms)

    def read(self, lower: pl.Series, words: pl.Series) -> tuple[Places, npt.NDArray[np.bool_]]:
        """Places of the model's terms where they mean what they say, and rows x contexts: which context each text holds."""
        substrings, latin = self.finder.substrings(lower), self.finder.words(words)
        rows, which = joined(substrings, latin)
        contexts = np.zeros((len(lower), len(self.names)), dtype=bool)
        for column in range(len(self.names)):
            contexts[rows[self._context_of[column][which]], column] = True
        rows, which = joined(self._meant(lower, substrings), self._meant_words(words, latin))
        of_terms = which < self._terms
        return Places(rows[of_terms], which[of_terms]), contexts

    def _meant_words(self, words: pl.Series, first: Places) -> Places:
        """Of the places of words those that are not hidden or negated."""
        touched, _, untouched = self._touched(first)
        if not len(touched):
            return first
        again = self.finder.words(self._words.clean(words[touched], self._all))
        return joined(untouched, Places(touched[again.rows], again.terms))

    def _meant(self, lower: pl.Series, first: Places) -> Places:
        """Of the places of substrings those that are not hidden or negated.

        What is taken out of a text leaves a mark that no term holds, so no other substring comes to stand in it. Each that
        stood there once is only asked whether it still does; building an automaton for all would take longer.
        """
        touched, inside, untouched = self._touched(first)
        if not len(touched):
            return first
        size = len(self.finder)
        pairs, times = np.unique(np.searchsorted(touched, inside.rows) * size + inside.terms, return_counts=True)
        present = np.zeros(size, dtype=bool)
        present[pairs % size] = True
        clean = self._substrings.clean(lower[touched], present)
        asked = pairs % size < self._terms
        once, often = pairs[asked & (times == 1)], pairs[asked & (times > 1)]
        once = once[_contains(clean.gather(once // size), self._needles.gather(once % size))]
        among = np.zeros(size, dtype=bool)
        among[often % size] = True
        again = self.finder.substrings(clean, among)
        wanted = np.isin(again.rows * size + again.terms, often)
        rows = np.concatenate([once // size, again.rows[wanted]])
        return joined(untouched, Places(touched[rows], np.concatenate([once % size, again.terms[wanted]])))

    def _touched(self, first: Places) -> tuple[Numbers, Places, Places]:
        """Texts with a word that changes others, the places in them, and those in all other texts."""
        changed = np.unique(first.rows[self._changes[first.terms]])
        inside = np.isin(first.rows, changed)
        return changed, Places(first.rows[inside], first.terms[inside]), Places(first.rows[~inside], first.terms[~inside])

    def raises(self, contexts: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """What the contexts of each row add to the score it needs."""
        return np.asarray(contexts @ self._raises, dtype=np.float64)


class _Language:
    """Masks and negation of the substring terms, or of the terms that are words."""

    def __init__(self, terms: Sequence[str], model: TextModel, finder: Finder, *, latin: bool) -> None:
        negation = model.negation
        self._masks = _Known((needle(mask) for mask in model.masks if is_latin(mask) == latin), finder)
        self._hidden = f" {HIDDEN} " if latin else HIDDEN
        negators = [word for word in negation.negators if is_latin(word) == latin]
        clause = [word for word in negation.clause if is_latin(word) == latin]
        fillers = [word for word in negation.fillers if is_latin(word) == latin]
        own = [needle(term) for term in terms if any(needle(word) in needle(term) for word in [*negators, *clause])]
        self._own = _Known(own, finder)
        if len(self._own.texts) > MOST_PROTECTED:
            raise ValueError(f"{len(self._own.texts)} terms hold a negator; at most {MOST_PROTECTED} can")
        self._stand_ins = [chr(FIRST_PRIVATE + i) for i in range(len(self._own.texts))]
        self._negator = _negator(negators if not latin else [*negators, *clause], fillers, negation.reach, latin=latin)
        self._clause = f"(?:{_any(clause)})[^{re.escape(CLAUSE_END)}]*" if clause and not latin else None
        self._negated = _Known([] if latin else map(needle, terms), finder)

    def clean(self, texts: pl.Series, present: npt.NDArray[np.bool_]) -> pl.Series:
        """The texts without the terms that a phrase hides or a negator takes back.

        `present`: a flag for each of the finder's words, set at least for those that stand in the texts; others are not tried.
        """
        if texts.null_count() == len(texts):
            return texts
        masks, own, negated = (known.among(present) for known in (self._masks, self._own, self._negated))
        stand_ins = list(compress(self._stand_ins, present[self._own.numbers]))
        texts = texts.str.replace_all(MARKS, HIDDEN)  # a text that brings a mark must not bring a term with it
        if masks:
            texts = texts.str.replace_many(masks, [self._hidden], leftmost=True)
        if own:
            texts = texts.str.replace_many(own, stand_ins, leftmost=True)
        if self._clause:
            texts = texts.str.replace_all(self._clause, HIDDEN)
        if self._negator:
            texts = texts.str.replace_all(self._negator, NEGATED)
        if negated:
            begins = set(texts.str.extract_all(f"{NEGATED}[^{NEGATED}]").explode().drop_nulls().str.slice(1).to_list())
            taken = [NEGATED + term for term in negated if term[0] in begins]
            texts = texts.str.replace_many(taken, [HIDDEN], leftmost=True) if taken else texts
        return texts.str.replace_many(stand_ins, own) if own else texts


class _Known:
    """What is looked for in a text, the longest first, each with its number in the finder."""

    def __init__(self, texts: Iterable[str], finder: Finder) -> None:
        self.texts = _longest_first(texts)
        self.numbers = np.array([finder.number_of_needle(text) for text in self.texts], dtype=np.int64)

    def among(self, present: npt.NDArray[np.bool_]) -> list[str]:
        """Those that are present."""
        return list(compress(self.texts, present[self.numbers]))


def _contains(texts: pl.Series, needles: pl.Series) -> npt.NDArray[np.bool_]:
    """Whether each text holds the needle beside it."""
    if not len(texts):
        return np.zeros(0, dtype=bool)
    return pl.select(pl.lit(texts).str.contains(pl.lit(needles), literal=True)).to_series().to_numpy()


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
