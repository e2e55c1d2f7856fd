"""Lowering and words by looking at bytes give what regular expressions over every text would."""

from __future__ import annotations

import re
import sys
import unicodedata

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.matching import NOT_WORD, lowered, words_of

ALL = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


def test_every_capital_letter_there_is_is_lowered() -> None:
    """Each character alone between two Chinese ones, so that a wrong look at its neighbour's bytes shows."""
    capitals = [letter for letter in ALL if unicodedata.category(letter) in {"Lu", "Lt"}]
    assert len(capitals) > 1_500
    texts = pl.Series([f"火{letter}。" for letter in capitals])
    assert lowered(texts).to_list() == texts.str.to_lowercase().to_list()


def test_what_has_no_capital_letter_stays_as_it_is() -> None:
    others = [letter for letter in ALL if unicodedata.category(letter) not in {"Lu", "Lt", "Cn"}]
    texts = pl.Series(["".join(others[start : start + 64]) for start in range(0, len(others), 64)])
    assert lowered(texts).to_list() == texts.to_list()


@given(st.lists(st.none() | st.text(max_size=6) | st.sampled_from(["a", "9", "火", "É", "ＦＦ", "，"]), max_size=8))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_words_of_slices_too(texts: list[str | None]) -> None:
    whole = lowered(pl.Series(["x", *texts, "y"], dtype=pl.String))
    lower = whole.slice(1, len(texts))
    wanted = [f" {re.sub(NOT_WORD, ' ', text)} " if re.search("[a-z0-9]", text) else None for text in lower.to_list()]
    assert words_of(lower).to_list() == wanted
    assert lower.to_list() == lowered(pl.Series(texts, dtype=pl.String)).to_list()
