"""Which terms stand in which text, by the column: two passes of one automaton, no Python per text.

A term of ASCII letters and digits is looked for in the text's words (`gas-odor/leak` and `Gas odor, leak` are the same
words), so that it never matches inside another word. Any other term is looked for as a substring of the lowered text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

CAPITAL: Final = r"[\p{Lu}\p{Lt}]"
WORD: Final = "[a-z0-9]"
NOT_WORD: Final = "[^a-z0-9]+"
NEGATED: Final = "\u00ac"
HIDDEN: Final = "\u25a1"
CLAUSE_END: Final = "，。；！？、：,.;!?:\n"
"""Where a clause ends. In the words of a text these are gone: an English clause negator reaches three words."""


def is_latin(term: str) -> bool:
    """Whether a term is looked for among words."""
    return term.isascii()


def needle(term: str) -> str:
    """What is looked for: ` gas leak ` among words, ` robber` for `robber*`, the lowered term itself as a substring.

    ValueError for a term that holds nothing to look for.
    """
    lowered = term.lower()
    if not is_latin(lowered):
        return lowered
    words = re.sub(NOT_WORD, " ", lowered).strip()
    if not words:
        raise ValueError(f"term {term!r} has no letter or digit")
    return f" {words}" if lowered.endswith("*") else f" {words} "


def lowered(texts: pl.Series) -> pl.Series:
    """Texts in lower case, null as empty. Most Chinese texts have no capital letter, and looking is cheaper than lowering."""
    texts = texts.cast(pl.String).fill_null("")
    capital = texts.str.contains(CAPITAL).arg_true()
    return texts.scatter(capital, texts[capital].str.to_lowercase()) if len(capital) else texts


def words_of(lower: pl.Series) -> pl.Series:
    """ASCII words of lowered texts, each with a blank before and after: ` fire on route 1 `; null where there is none."""
    has_words = lower.str.contains(WORD)
    words = lower.filter(has_words).str.replace_all(NOT_WORD, " ")
    words = pl.select(pl.lit(" ") + pl.lit(words) + pl.lit(" ")).to_series()
    places = pl.select(pl.when(has_words).then(has_words.cum_sum() - 1)).to_series()
    return words.gather(places) if len(words) else pl.Series([None] * len(lower), dtype=pl.String)


class Places(NamedTuple):
    """Text numbers and term numbers, one for each place where a term stands, in no order."""

    rows: npt.NDArray[np.int64]
    terms: npt.NDArray[np.int64]


def counted(places: Places, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Texts x terms, how often a term stands in a text."""
    hits = sparse.coo_matrix((np.ones(len(places.rows)), (places.rows, places.terms)), shape=shape).tocsr()
    hits.sum_duplicates()
    return hits


class Finder:
    """Finds a fixed list of terms. Built once a model, used for every batch."""

    def __init__(self, terms: Sequence[str]) -> None:
        needles = [needle(term) for term in terms]
        if len(set(needles)) != len(needles):
            twice = sorted({term for term, text in zip(terms, needles, strict=True) if needles.count(text) > 1})
            raise ValueError(f"terms {twice} look for the same text")
        self._numbers = {text: number for number, text in enumerate(needles)}
        self._words = _Needles(text for term, text in zip(terms, needles, strict=True) if is_latin(term))
        self._substrings = _Needles(text for term, text in zip(terms, needles, strict=True) if not is_latin(term))
        order = [*self._substrings.texts, *self._words.texts]
        self._terms = np.array([self._numbers[text] for text in order], dtype=np.int64)

    def find(self, lower: pl.Series, words: pl.Series) -> sparse.csr_matrix:
        """Texts x terms, how often a term stands in a text, of lowered texts and their words (`lowered`, `words_of`)."""
        return counted(self.places(lower, words), (len(lower), len(self._terms)))

    def places(self, lower: pl.Series, words: pl.Series) -> Places:
        """Every place where a term stands: number of the text, number of the term."""
        rows, found = self._substrings.find(lower)
        more_rows, more = self._words.find(words)
        which = self._terms[np.concatenate([found, more + len(self._substrings.texts)])]
        return Places(np.concatenate([rows, more_rows]), which)

    def __len__(self) -> int:
        return len(self._terms)

    def number(self, term: str) -> int:
        """Number of the term that looks for what this one looks for. KeyError where there is none."""
        return self._numbers[needle(term)]


class _Needles:
    """Strings for one automaton; an Enum gives each its number without a join."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = list(texts)
        self._numbers = pl.Enum(self.texts)
        self._patterns = pl.Series([self.texts], dtype=pl.List(pl.String))

    def find(self, texts: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Row numbers and needle numbers of all hits, overlapping ones too."""
        if not self.texts or not len(texts):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        lists = pl.select(pl.lit(texts).str.extract_many(pl.lit(self._patterns).first(), overlapping=True)).to_series()
        counts = lists.list.len().fill_null(0).to_numpy()
        found = lists.filter(lists.list.len() > 0).explode().cast(self._numbers).to_physical().to_numpy()
        return np.repeat(np.arange(len(texts), dtype=np.int64), counts), found.astype(np.int64)
