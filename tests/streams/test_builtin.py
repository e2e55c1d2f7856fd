"""The written rules by the column equal the same rules counted text by text, and say what they should of telling examples."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
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
@example(["没有没有扰乱办公秩序"])  # two negators in a row: the term after the second was not seen
@settings(derandomize=True, deadline=None, max_examples=60)
def test_by_the_column_as_text_by_text(column: list[str]) -> None:
    """Masks, negation, contexts and priorities included."""
    found = SCORER.score(pl.Series(column, dtype=pl.String))["label"].to_list()
    assert found == [COUNTED.class_of(text) for text in column]


TOLD = yaml.safe_load((Path(__file__).parent / "fairness" / "fraud.yaml").read_text(encoding="utf-8"))


def test_fraud_is_heard_in_what_callers_say_and_victims_tell() -> None:
    """Nine of ten, by any class of the category."""
    found = SCORER.score(pl.Series(TOLD["fraud"]))["label"].str.starts_with("C")
    assert found.sum() >= 0.9 * len(TOLD["fraud"])


def test_ordinary_talk_is_no_fraud() -> None:
    found = SCORER.score(pl.Series(TOLD["ordinary"])).with_columns(text=pl.Series(TOLD["ordinary"]))
    assert found.filter(pl.col("label").str.starts_with("C")).select("text", "label", "terms").rows() == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("没有着火", "U00"), ("没有发生火灾", "U00"), ("厨房着火，没有人员受伤", "S01"), ("no fire", "U00"),
        ("怎么举报诈骗？", "U00"), ("我被骗了怎么办", "C99"), ("消防演练，三楼模拟着火", "U00"), ("反诈宣传进社区", "U00"),
        ("社区张贴防范电信网络诈骗海报", "U00"), ("在新闻里看到外地地震", "U00"), ("楼下商铺着火了，快来", "S01"),
        ("公司没有发工资，工人讨薪", "D04"), ("有人没付钱就走", "U00"), ("The fire department visited the school", "U00"),
        ("misfired, backfired, campfire", "U00"), ("两车相撞，一人被困", "S02"), ("电动车被盗", "O05"), ("家里被盗", "O04"),
        ("草原火灾蔓延", "S11"), ("丈夫打我", "D03"), ("天然气泄漏，闻到煤气味", "S04"), ("井盖缺失", "S07"), ("电梯困人", "S09"),
        ("老人走失", "S13"), ("工地高处坠落", "S03"), ("食物中毒", "S12"), ("扬言爆炸", "P03"), ("妨害公务", "P06"),
    ],
)  # fmt: skip
def test_what_a_telling_example_is(text: str, label: str) -> None:
    assert SCORER.score(pl.Series([text]))["label"].to_list() == [label]
