"""Only what can have changed is read again; the result is that of reading every text again for every term."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.text_model import Negation, TextModel
from streams.context import ContextReader
from streams.matching import counted, lowered, words_of
from streams.rules import shipped_rules

SMALL = TextModel(
    name="t", version="1", labels=("S01",), data="a test",
    terms={term: {"S01": 1} for term in ("火", "火火", "着火", "没火", "没着火", "没没火", "fire", "no fire", "rob*")},
    masks=("灭火器", "fire truck", "robe*"),
    negation=Negation(negators=("没", "不", "no"), fillers=("有", "a"), clause=("未见", "never"), reach=2),
)  # fmt: skip
PIECES = st.sampled_from(
    [
        *SMALL.terms,
        *SMALL.masks,
        *SMALL.negation.negators,
        *SMALL.negation.fillers,
        *SMALL.negation.clause,
        "，",
        "¬",
        "□",
        "\ue000",
    ]
)
TEXTS = st.lists(st.lists(PIECES | st.text(max_size=2), max_size=8).map("".join), min_size=1, max_size=8)


def compare(reader: ContextReader, texts: list[str], terms: int) -> None:
    lower = lowered(pl.Series(texts, dtype=pl.String))
    words = words_of(lower)
    finder, shape = reader.finder, (len(texts), len(reader.finder))
    found = counted(reader.read(lower, words)[0], shape).toarray()
    every = np.ones(len(finder), dtype=bool)
    wanted = np.zeros(shape)
    for first, column, find, language in (
        (finder.substrings(lower), lower, finder.substrings, reader._substrings),
        (finder.words(words), words, finder.words, reader._words),
    ):
        touched = np.unique(first.rows[reader._changes[first.terms]])
        plain = counted(first, shape).toarray()
        plain[touched] = counted(find(language.clean(column, every)), shape).toarray()[touched]
        wanted += plain
    wanted[:, terms:] = 0
    assert np.array_equal(found, wanted), texts


def test_a_term_may_not_be_made_of_marks() -> None:
    with pytest.raises(ValueError, match="stands for words taken out"):
        ContextReader(SMALL.model_copy(update={"terms": {"火□": {"S01": 1.0}}}))


SMALL_READER = ContextReader(SMALL)


@given(TEXTS)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_small_model_made_of_traps(texts: list[str]) -> None:
    compare(SMALL_READER, texts, len(SMALL.terms))


WRITTEN = shipped_rules().scorer
WRITTEN_PIECES = st.sampled_from([
    *list(WRITTEN.model.terms)[::7], *WRITTEN.model.masks[::2], *WRITTEN.model.negation.negators, *WRITTEN.model.negation.clause,
    *WRITTEN.model.negation.fillers, "，", " ", "。",
])  # fmt: skip


@given(st.lists(st.lists(WRITTEN_PIECES, max_size=6).map("".join), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_written_rules(texts: list[str]) -> None:
    compare(WRITTEN._context, texts, len(WRITTEN.terms))
