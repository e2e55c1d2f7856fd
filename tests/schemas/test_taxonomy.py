"""The taxonomy: sixty classes of events in five categories, and nothing about persons or what they think."""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

import pytest

from schemas.taxonomy import UNCLASSIFIED, CategoryId, taxonomy

CAP = {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
"""Categories of OASIS CAP 1.2, section 3.2.2."""

FORBIDDEN = [
    "言论", "意见", "观点", "舆论", "舆情", "思想", "信仰", "宗教", "教派", "邪教", "民族", "种族", "国籍", "集会", "游行", "示威",
    "请愿", "上访", "信访", "罢工", "静坐", "结社", "重点人员", "重点人群", "特殊人群", "精神病", "前科", "流动人口", "移民", "性别",
    "speech", "opinions?", "views?", "beliefs?", "faiths?", "religio\\w*", "sects?", "cults?", "ethnic\\w*", "races?", "racial",
    "nationalit\\w*", "assembl\\w*", "protest\\w*", "demonstrat\\w*", "rall(y|ies)", "march(es)?", "petition\\w*", "strikes?",
    "associations?", "dissent\\w*", "dissid\\w*", "migrants?", "minorit\\w*", "gender", "mental\\w*", "ex-convicts?",
]  # fmt: skip


def test_sixty_classes_an_other_for_each_category_and_unclassified() -> None:
    codes = list(taxonomy().classes)
    others = [code for code in codes if code.endswith("99")]
    named = [code for code in codes if code not in {*others, UNCLASSIFIED}]
    assert Counter(code[0] for code in named) == {"P": 7, "O": 14, "D": 12, "S": 15, "C": 12}
    assert others == ["P99", "O99", "D99", "S99", "C99"]
    assert len(codes) == 60 + 5 + 1


def test_codes_are_a_letter_and_two_digits_without_gaps() -> None:
    for letter, number in {"P": 7, "O": 14, "D": 12, "S": 15, "C": 12}.items():
        assert [code for code in taxonomy().classes if code[0] == letter][:number] == [
            f"{letter}{i:02}" for i in range(1, number + 1)
        ]


def test_category_ids_are_the_published_words() -> None:
    assert tuple(taxonomy().categories) == get_args(CategoryId)
    assert get_args(CategoryId) == ("public_institution", "public_order", "disputes", "public_safety", "cyber", "unclassified")


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("P01", "public_institution"),
        ("O14", "public_order"),
        ("D12", "disputes"),
        ("S99", "public_safety"),
        ("C01", "cyber"),
        ("U00", "unclassified"),
    ],
)
def test_the_letter_gives_the_category(code: str, category: str) -> None:
    assert taxonomy().category_of(code) == category


def test_a_code_nobody_knows_has_no_category() -> None:
    with pytest.raises(KeyError):
        taxonomy().category_of("P98")


def test_every_class_has_both_names_a_cap_category_and_a_source() -> None:
    for row in taxonomy().classes.values():
        assert re.search(r"[\u4e00-\u9fff]", row.zh), row
        assert re.search(r"[A-Za-z]", row.en), row
        assert row.cap in CAP, row
        assert row.source, row


def test_names_stand_once() -> None:
    for name in ("zh", "en"):
        counts = Counter(getattr(row, name) for row in taxonomy().classes.values())
        assert max(counts.values()) == 1


@pytest.mark.parametrize("word", FORBIDDEN)
def test_no_class_is_about_who_people_are_or_what_they_say(word: str) -> None:
    """Guardrail: no class about speech, opinion, belief, ethnicity, peaceful assembly or petitioning, and none names a group."""
    pattern = re.compile(rf"\b({word})\b" if word.isascii() else word, re.IGNORECASE)
    found = [row.code for row in taxonomy().classes.values() if pattern.search(row.zh) or pattern.search(row.en)]
    assert found == []
