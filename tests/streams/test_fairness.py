"""What must not become a risk, and that who or where somebody is changes nothing.

Sentences written out in `fairness/plain.yaml`, and made of templates and words outside the term list in
`fairness/templates.yaml`. The model card (docs/model-card.md) tells what this does not show.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
import yaml

from schemas.taxonomy import UNCLASSIFIED
from streams.rules import shipped_rules

FOLDER: Final = Path(__file__).parent / "fairness"
PLAIN: Final[dict[str, list[str]]] = yaml.safe_load((FOLDER / "plain.yaml").read_text(encoding="utf-8"))
MADE: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "templates.yaml").read_text(encoding="utf-8"))
SLOTS: Final[dict[str, list[str]]] = MADE["slots"]
SCORER: Final = shipped_rules().scorer
FEWEST: Final = 200


def filled(template: str, most: int | None = None) -> Iterator[str]:
    """The template with every choice of words for its slots, or with the first `most` when all of them step together."""
    names = re.findall(r"\{(\w+)\}", template)
    choices: Iterable[tuple[str, ...]] = itertools.product(*(SLOTS[name] for name in names))
    if most is not None:
        choices = zip(*(itertools.islice(itertools.cycle(SLOTS[name]), most) for name in names), strict=True)
    for words in choices:
        yield template.format(**dict(zip(names, words, strict=True)))


def templates(kind: str) -> list[str]:
    return [template for language in ("zh", "en") for template in MADE[kind][language]]


WRITTEN: Final = [sentence for sentences in PLAIN.values() for sentence in sentences]
FROM_TEMPLATES: Final = [sentence for template in templates("plain") for sentence in filled(template, most=10)]


def test_there_are_enough_sentences_half_of_them_from_templates_in_both_languages() -> None:
    everything = [*WRITTEN, *FROM_TEMPLATES]
    assert len(set(everything)) >= FEWEST
    assert len(set(WRITTEN)) >= FEWEST / 2
    assert len(set(FROM_TEMPLATES)) >= FEWEST / 2
    assert sum(sentence.isascii() for sentence in everything) >= FEWEST / 4
    assert sum(not sentence.isascii() for sentence in everything) >= FEWEST / 2


@pytest.mark.parametrize("name", SLOTS)
def test_words_of_the_slots_are_in_no_list_of_terms(name: str) -> None:
    """Neither as a term, nor as part of a term, nor with a term in them."""
    terms = [term.rstrip("*") for term in SCORER.terms]
    for word in SLOTS[name]:
        lower = word.lower()
        assert SCORER.score(pl.Series([word]))["score"].to_list() == [0.0], word
        assert [term for term in terms if not term.isascii() and lower in term] == [], word


@pytest.mark.parametrize("subject", PLAIN)
def test_a_sentence_about_this_is_no_risk(subject: str) -> None:
    found = SCORER.score(pl.Series(PLAIN[subject])).with_columns(text=pl.Series(PLAIN[subject]))
    wrong = found.filter(pl.col("label") != UNCLASSIFIED).select("text", "label", "terms").rows()
    assert wrong == []


@pytest.mark.parametrize("template", templates("plain"))
def test_a_template_is_no_risk_whatever_its_words(template: str) -> None:
    sentences = list(filled(template))
    found = SCORER.score(pl.Series(sentences)).with_columns(text=pl.Series(sentences))
    assert found.filter(pl.col("label") != UNCLASSIFIED).select("text", "label", "terms").rows() == []


@pytest.mark.parametrize("template", [*templates("plain"), *templates("risk")])
def test_swapping_people_beliefs_and_places_changes_neither_class_nor_score(template: str) -> None:
    """All scores of all labels, not only the one that wins; and confidence, evidence and contexts."""
    sentences = pl.Series(list(filled(template)))
    found = SCORER.score(sentences)
    assert found.unique().height == 1
    scores = SCORER.matrix(sentences).millionths
    assert (scores == scores[0]).all()


@pytest.mark.parametrize("template", templates("risk"))
def test_a_risk_is_a_risk_whoever_and_wherever(template: str) -> None:
    assert SCORER.score(pl.Series(list(filled(template))))["label"].ne(UNCLASSIFIED).all()


SWAPS: Final = [
    ("蒙古族", "汉族"), ("维吾尔族", "汉族"), ("回族", "汉族"), ("藏族", "汉族"), ("黑人", "白人"), ("外国人", "本地人"),
    ("清真寺", "教堂"), ("教堂", "清真寺"), ("寺庙", "道观"), ("敖包", "龙王"), ("佛", "道"), ("斋月", "春节"), ("开斋节", "中秋节"),
    ("乌兰木伦", "长安"), ("阿勒腾席热", "城关"), ("喀什", "上海"), ("呼和诺尔", "西湖"),
    ("Somali", "Swedish"), ("Roma", "Danish"), ("Arab", "French"), ("Black", "white"), ("Sikh", "Lutheran"), ("mosque", "church"),
    ("Bible", "Quran"), ("Eid", "Easter"), ("Kashgar", "Oxford"), ("Ulan Mulun", "Springfield"), ("Refugees", "Students"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "other"), SWAPS)
def test_swapping_a_word_in_the_written_sentences_changes_nothing(word: str, other: str) -> None:
    sentences = [sentence for sentence in WRITTEN if word in sentence]
    assert sentences, f"no sentence holds {word}"
    before = SCORER.matrix(pl.Series(sentences)).millionths
    after = SCORER.matrix(pl.Series([sentence.replace(word, other) for sentence in sentences])).millionths
    assert (before == after).all()
