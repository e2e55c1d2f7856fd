"""The written rules by the column equal the same rules counted text by text, and say what they should of telling examples."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules import shipped_rules
from tests.recount_terms import WrittenRules

SCORER = shipped_rules().scorer
COUNTED = WrittenRules.read(Path(__file__).parents[2] / "streams" / "rules")
MODEL = SCORER.model
pieces = (
    st.sampled_from([term.rstrip("*") for term in MODEL.terms])
    | st.sampled_from(list(MODEL.masks))
    | st.sampled_from([*MODEL.negation.negators, *MODEL.negation.fillers, *MODEL.negation.clause])
    | st.sampled_from([term for context in MODEL.contexts.values() for term in context.terms])
    | st.sampled_from(["，", "。", " ", "小区", "三楼", " the ", "火", "İ", "ẞ", "¬", "\ue000"])
    | st.text(max_size=3)
)


@given(st.lists(st.lists(pieces, max_size=7).map("".join), min_size=1, max_size=10))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_by_the_column_as_text_by_text(column: list[str]) -> None:
    """Masks, negation, contexts and priorities included."""
    found = SCORER.score(pl.Series(column, dtype=pl.String))["label"].to_list()
    assert found == [COUNTED.class_of(text) for text in column]
