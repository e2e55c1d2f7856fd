"""Scores by the column equal scores by looking for each term in each text; words and context change what a term means."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.text_model import Calibration, Context, Lead, Negation, Platt, Temperature, TextModel
from streams.scorer import ROWS_AT_ONCE, SCORED, Scorer


def model(**changes: Any) -> TextModel:
    whole: dict[str, Any] = {
        "name": "test", "version": "1", "labels": ("S01", "O07", "D04"), "threshold": 1.0, "data": "written for this test",
        "terms": {
            "着火": {"S01": 2}, "fire": {"S01": 2}, "盗窃": {"O07": 1}, "电动车被盗": {"O07": 2.5}, "theft*": {"O07": 1.5},
            "没有发工资": {"D04": 2}, "not paid": {"D04": 2}, "工资": {"D04": 0.4}, "gas-odor/leak": {"S01": 0.5, "D04": 0.1},
        },
        "calibration": Lead(slope=2, offset=-1, most=3),
        "masks": ("防盗窃", "fire department"),
        "negation": Negation(negators=("没有", "不是", "no", "not"), fillers=("发生", "任何", "a", "any"), clause=("未发生",), reach=2),
        "contexts": {"drill": Context(raise_by=5, terms=("演练", "drill*")), "question": Context(raise_by=1.5, terms=("怎么防",))},
    }  # fmt: skip
    return TextModel(**{**whole, **changes})


def scored(texts: list[str | None], **changes: Any) -> list[dict[str, Any]]:
    frame = Scorer(model(**changes)).score(pl.Series(texts, dtype=pl.String))
    assert frame.schema == pl.Schema(SCORED)
    return frame.to_dicts()


@pytest.mark.parametrize(
    ("text", "label", "terms"),
    [
        ("楼里着火了", "S01", ["着火"]),
        ("A FIRE broke out", "S01", ["fire"]),
        ("he was fired; misfire; campfire", "U00", []),
        ("Thefts from sheds", "O07", ["theft*"]),
        ("Gas odor, leak: fire!", "S01", ["fire", "gas-odor/leak"]),
        ("门口电动车被盗", "O07", ["电动车被盗"]),
        ("没有着火", "U00", []),
        ("没有发生任何着火", "U00", []),
        ("没有发生任何任何着火", "S01", ["着火"]),
        ("不是着火,是盗窃", "O07", ["盗窃"]),
        ("没有着火,但隔壁着火了", "S01", ["着火"]),
        ("未发生大的着火和盗窃。后来着火", "S01", ["着火"]),
        ("no fire here", "U00", []),
        ("not any fire", "U00", []),
        ("no, a fire", "U00", []),
        ("there is now fire", "S01", ["fire"]),
        ("已经没有发工资三个月", "D04", ["没有发工资", "工资"]),
        ("workers not paid", "D04", ["not paid"]),
        ("小区做防盗窃宣传", "U00", []),
        ("防盗窃之后又盗窃", "O07", ["盗窃"]),
        ("the fire department came", "U00", []),
        ("消防演练,着火", "U00", []),
        ("fire drills", "U00", []),
        ("怎么防盗窃", "U00", []),
        ("怎么防 电动车被盗", "O07", ["电动车被盗"]),
        ("没有 \ue000 \ue001", "U00", []),
        ("", "U00", []),
        (None, "U00", []),
    ],
)
def test_what_a_text_is(text: str | None, label: str, terms: list[str]) -> None:
    (row,) = scored([text])
    assert (row["label"], row["terms"]) == (label, terms)
    assert (row["confidence"] > 0) == (label != "U00")


def test_contexts_are_named_and_raise_the_score_needed() -> None:
    drill, plain = scored(["演练 drill 着火", "着火"])
    assert (drill["contexts"], drill["needed"], drill["score"]) == (["drill"], 6.0, 2.0)
    assert (plain["contexts"], plain["needed"], plain["score"]) == ([], 1.0, 2.0)


def test_a_context_does_not_silence_what_weighs_more() -> None:
    (row,) = scored(["演练"], terms={"演练": {"S01": 6}})
    assert row["label"] == "S01"


def test_the_first_label_wins_a_tie_and_sums_of_tenths_tie() -> None:
    """0.1 + 0.2 is 0.3 here, in whichever order terms are found."""
    terms = {"甲": {"D04": 0.1}, "乙": {"D04": 0.2}, "丙": {"O07": 0.3}}
    assert [row["label"] for row in scored(["甲乙丙", "丙乙甲"], terms=terms, threshold=0.3)] == ["O07", "O07"]
    assert scored(["甲乙"], terms=terms, threshold=0.3)[0]["label"] == "D04"


def test_a_small_lead_is_unclassified() -> None:
    terms = {"甲": {"D04": 2.0}, "乙": {"O07": 1.5}}
    assert [row["label"] for row in scored(["甲乙", "甲"], terms=terms, margin=0.6)] == ["U00", "D04"]


def test_without_a_threshold_the_best_label_is_given_unless_no_term_was_found() -> None:
    rows = scored(["甲", "丁"], terms={"甲": {"D04": -2.0, "O07": -1.0, "S01": -3.0}}, bias={"S01": 0.5}, threshold=None)
    assert [row["label"] for row in rows] == ["O07", "U00"]
    assert [row["needed"] for row in rows] == [None, None]


def test_l2_divides_by_the_norm_of_the_terms_found() -> None:
    (row,) = scored(["甲乙"], terms={"甲": {"D04": 2.0}, "乙": {}}, scales={"甲": 3.0, "乙": 4.0}, bias={"D04": 0.1},
                    normalisation="l2", threshold=None)  # fmt: skip
    assert row["score"] == pytest.approx(2.0 / 5.0 + 0.1, abs=1e-6)
    assert row["weights"] == pytest.approx([0.4], abs=1e-6)


@pytest.mark.parametrize(
    ("calibration", "expected"),
    [
        (Lead(slope=2, offset=-1, most=3), 1 / (1 + math.exp(-(2 * 1.0 - 1)))),
        (Lead(slope=2, offset=-1, most=0.5), 1 / (1 + math.exp(-(2 * 0.5 - 1)))),
        (Temperature(temperature=2), math.exp(1) / (math.exp(1) + math.exp(0.5) + 1)),
        (Platt(slope={"S01": 1, "O07": 1, "D04": 2}, offset={"S01": 0, "O07": -1, "D04": 0}),
         (1 / (1 + math.exp(-2))) / (1 / (1 + math.exp(-2)) + 1 / 2 + 1 / 2)),
    ],
)  # fmt: skip
def test_how_sure_a_score_is(calibration: Calibration, expected: float) -> None:
    (row,) = scored(["着火 盗窃"], calibration=calibration)
    assert row["label"] == "S01"
    assert row["confidence"] == pytest.approx(expected)


def test_order_and_neighbours_do_not_matter_over_many_rows() -> None:
    texts = ["着火", "没有着火", None, "fire", "演练着火"] * (ROWS_AT_ONCE // 4)
    labels = [row["label"] for row in scored(texts)]
    assert labels == ["S01", "U00", "U00", "S01", "U00"] * (ROWS_AT_ONCE // 4)


def test_no_texts_no_rows() -> None:
    assert scored([]) == []


def test_two_terms_that_look_for_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match="look for the same text"):
        Scorer(model(terms={"gas leak": {"S01": 1}, "Gas-Leak": {"S01": 1}}))
    with pytest.raises(ValueError, match="no letter or digit"):
        Scorer(model(terms={"!!": {"S01": 1}}))


def naive(text: str | None, of: TextModel) -> tuple[str, float]:
    """Label and score by looking for each term in the text; for a model without context."""
    lower = (text or "").lower()
    words = f" {re.sub('[^a-z0-9]+', ' ', lower)} "
    totals = dict.fromkeys(of.labels, 0.0)
    found = False
    for term, weights in of.terms.items():
        latin = f" {re.sub('[^a-z0-9]+', ' ', term.rstrip('*').lower()).strip()}{'' if term.endswith('*') else ' '}"
        if latin in words if term.isascii() else term in lower:
            found = True
            for label, weight in weights.items():
                totals[label] += weight
    best = max(of.labels, key=lambda label: round(totals[label], 6))
    top = round(totals[best], 6)
    return (best if found and top >= (of.threshold or 0) else of.unclassified), top


PLAIN = model(masks=(), negation=Negation(), contexts={})
PLAIN_SCORER = Scorer(PLAIN)
pieces = (
    st.sampled_from([term.rstrip("*") for term in PLAIN.terms])
    | st.text(max_size=3)
    | st.sampled_from(["，", " ", "被盗", "火", "FIRE", "İ", "ẞ", "_", "-"])
)


@given(st.lists(st.none() | st.lists(pieces, max_size=6).map("".join), min_size=1, max_size=6))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_column_scores_as_looking_for_each_term_would(column: list[str | None]) -> None:
    frame = PLAIN_SCORER.score(pl.Series(column, dtype=pl.String))
    for text, row in zip(column, frame.to_dicts(), strict=True):
        label, top = naive(text, PLAIN)
        assert row["label"] == label, text
        assert row["score"] == pytest.approx(top, abs=1e-9), text


@given(st.lists(st.lists(pieces, max_size=4).map("".join), min_size=1, max_size=5))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_a_text_scores_alike_alone_and_in_company(column: list[str]) -> None:
    scorer = Scorer(model())
    together = scorer.matrix(pl.Series(column, dtype=pl.String)).millionths
    alone = [scorer.matrix(pl.Series([text], dtype=pl.String)).millionths for text in column]
    assert np.array_equal(together, np.concatenate(alone))
