"""Which terms a model may use: character n-grams of Chinese and words of everything else that stand in several texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from streams.matching import needle

LONGEST: Final = 4
"""Characters of a Chinese term: most words have two, most names of things up to four."""
MOST_TERMS: Final = 20_000
MOST_READ: Final = 20_000
"""Texts that are read for terms; more texts show few new terms that are worth a weight."""
LEAST_TEXTS: Final = 2
"""A term of one labelled text says nothing about the next one, and may be a part of that text only."""
PIECES: Final = re.compile(
    r"[a-z0-9]+|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\W\d_a-z\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def terms_in(text: str) -> Iterator[str]:
    """Every possible term of a text, as often as it stands there. Words with a digit are none: numbers name one case."""
    for piece in PIECES.findall(text.lower()):
        if "\u3400" <= piece[0] <= "\ufaff":
            for length in range(1, LONGEST + 1):
                for start in range(len(piece) - length + 1):
                    yield piece[start : start + length]
        elif len(piece) > 1 and not any(letter.isdigit() for letter in piece):
            yield piece


def choose_terms(labelled: Sequence[str], unlabelled: Iterable[str] = (), known: Iterable[str] = ()) -> list[str]:
    """Terms of at least LEAST_TEXTS labelled texts, the MOST_TERMS most frequent ones, and all `known` ones; no label is looked at.

    A longer n-gram that adds nothing, because a shorter one inside it stands in exactly as many texts of each kind, is left
    out: its weight would be the shorter one's. Sorted, so that the same texts give the same list.
    """
    among_labelled = _texts_with(labelled[:MOST_READ])
    among_all = among_labelled + _texts_with(list(unlabelled)[:MOST_READ])
    frequent = {term for term, texts in among_labelled.items() if texts >= LEAST_TEXTS}
    useful = [term for term in frequent if not _adds_nothing(term, among_labelled, among_all)]
    useful.sort(key=lambda term: (-among_labelled[term], -among_all[term], term))
    by_needle = {needle(term): term for term in [*useful[:MOST_TERMS], *known]}  # `gas-leak` and `gas leak` are one term
    return sorted(by_needle.values())


def _texts_with(texts: Sequence[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(terms_in(text)))
    return counts


def _adds_nothing(term: str, among_labelled: Counter[str], among_all: Counter[str]) -> bool:
    if term.isascii() or len(term) == 1:
        return False
    inner = (term[1:], term[:-1])
    return any(among_labelled[part] == among_labelled[term] and among_all[part] == among_all[term] for part in inner)
