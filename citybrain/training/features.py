"""Texts as rows of numbers, by the very finder the scorer uses: what is learned is what will be scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from streams.matching import Finder, is_latin, lowered, words_of

Floats = npt.NDArray[np.float64]

RARITY: Final = 1.25
"""Power of the inverse document frequency: above 1, because most frequent Chinese n-grams are grammar."""
LONGER: Final = 0.7
"""Each further character of an n-gram weighs so much of the shorter one's: it repeats what the shorter one said."""


def count_terms(texts: Sequence[str], terms: Sequence[str]) -> sparse.csr_matrix:
    """Texts x terms: 1 + ln(times) where a term stands in a text, as the scorer counts under `counts: log`."""
    lower = lowered(pl.Series(list(texts), dtype=pl.String))
    counts = Finder(terms).find(lower, words_of(lower))
    counts.data = 1.0 + np.log(counts.data)
    return counts


def scales_of(counts: sparse.csr_matrix, terms: Sequence[str]) -> Floats:
    """A term's scale: idf = 1 + ln((1 + texts) / (1 + texts with it)), to the power RARITY, less for longer n-grams."""
    texts = counts.shape[0]
    having = np.bincount(counts.indices, minlength=len(terms))
    idf = 1.0 + np.log((1.0 + texts) / (1.0 + having))
    longer = np.array([0 if is_latin(term) else len(term) - 1 for term in terms])
    return np.asarray(idf**RARITY * LONGER**longer)


def scaled(counts: sparse.csr_matrix, scales: Floats) -> sparse.csr_matrix:
    """Rows of length 1. A text without a term stays a row of zeros."""
    rows = counts @ sparse.diags(scales)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1.0
    return (sparse.diags(1.0 / lengths) @ rows).tocsr()
