"""The rule files: every class known, nothing twice, every term able to decide, nothing about persons."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import pytest
import yaml

from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams import rules
from streams.builtin import builtin_model
from streams.rules import FILES, TERMS, shipped_rules


class Strict(yaml.SafeLoader):
    """YAML whose keys stand once; the plain reader lets the last one win without a word."""


def _mapping(loader: Strict, node: yaml.MappingNode) -> dict[Hashable, Any]:
    pairs = loader.construct_pairs(node, deep=True)
    keys = [key for key, _ in pairs]
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    assert not twice, f"{node.start_mark}: {twice} stand twice"
    return dict(pairs)


Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def document(name: str) -> Any:
    return yaml.load(files("streams").joinpath("rules", name).read_bytes(), Strict)  # noqa: S506 - a SafeLoader


@pytest.mark.parametrize("name", FILES)
def test_no_key_stands_twice(name: str) -> None:
    assert document(name).get("version", 1) >= 1


def test_codes_are_known_classes_and_no_two_differ_by_case_only() -> None:
    """Two rows of one code would double events."""
    table = document("codes.yaml")["codes"]
    assert set(table.values()) <= set(taxonomy().classes)
    codes = shipped_rules().codes["code"].to_list()
    assert sorted(codes) == sorted({str(code).lower() for code in table})
    assert len(codes) == len(table)


def test_every_limit_has_one_side_a_class_a_unit_and_a_source() -> None:
    for name, limit in document("limits.yaml")["metrics"].items():
        assert ("above" in limit) != ("below" in limit), name
        assert limit["class"] in taxonomy().classes, name
        assert limit["unit"], name
        assert limit["source"], name
        assert set(limit) <= {"above", "below", "class", "unit", "source"}, name


@cache
def weights() -> dict[str, dict[str, float]]:
    """Term to weight, by class, as written in the files."""
    found: dict[str, dict[str, float]] = {}
    for name in TERMS:
        for code, by_weight in document(name).items():
            assert code not in found, f"{code} stands in two files"
            found[code] = {term: weight for weight, terms in by_weight.items() for term in terms}
    return found


def test_every_class_has_terms_of_known_weight() -> None:
    """U00 has terms too: what is known to be none of our classes."""
    assert set(weights()) == set(taxonomy().classes)
    for code, terms in weights().items():
        for term, weight in terms.items():
            assert isinstance(term, str), (code, term)
            assert term == term.strip(), (code, term)
            assert len(term) >= (2 if term.isascii() else 1), (code, term)
            assert 0 < weight <= 3, (code, term)


def test_every_class_can_be_reached_by_its_own_terms() -> None:
    for code, terms in weights().items():
        assert max(terms.values()) >= document("settings.yaml")["threshold"], code


@pytest.mark.parametrize("code", sorted(set(taxonomy().classes) - {UNCLASSIFIED}))
def test_every_class_is_found_by_a_term_of_either_language(code: str) -> None:
    """Alone in a text, some Chinese and some English term gives the class it was written for."""
    for latin in (False, True):
        terms = [term.rstrip("*") for term in weights()[code] if term.isascii() is latin]
        found = shipped_rules().scorer.score(pl.Series(terms, dtype=pl.String))["label"].to_list()
        assert code in found, f"none of {terms} gives {code}"


def test_terms_are_one_list_a_file_and_its_class() -> None:
    """A file holds the classes of its category only."""
    for name in TERMS:
        category = name.removeprefix("terms/").removesuffix(".yaml")
        assert {taxonomy().category_of(code) for code in document(name)} == {category}


def test_a_term_that_stands_twice_in_a_class_is_refused() -> None:
    """Letter case does not tell terms apart."""
    settings, context = document("settings.yaml"), document("context.yaml")
    with pytest.raises(ValueError, match="term 'Fire' stands twice in S01"):
        builtin_model(settings, context, [{"S01": {2: ["fire", "Fire"]}}], "1")
    with pytest.raises(ValueError, match=r"class X01 is not in schemas/taxonomy\.yaml"):
        builtin_model(settings, context, [{"X01": {2: ["fire"]}}], "1")


def test_kinds_of_fraud_share_their_weight_with_fraud_of_no_certain_kind() -> None:
    model = shipped_rules().scorer.model
    assert model.terms["刷单"] == {"C01": 2.0, "C99": 0.8}
    assert model.labels[0] == document("settings.yaml")["priority"][0]


@pytest.mark.parametrize(
    "word",
    ["宗教", "民族", "上访", "信访", "集会", "游行", "示威", "请愿", "言论", "舆情", "信仰", "邪教", "罢工", "精神病", "前科",
     "protest", "petition", "demonstrat", "relig", "ethnic", "opinion", "immigra", "gay", "muslim"],
)  # fmt: skip
def test_no_term_says_who_somebody_is_or_what_they_think(word: str) -> None:
    assert [term for term in shipped_rules().scorer.terms if word in term] == []


def test_the_version_names_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that change are audited: another byte is another version."""
    version = shipped_rules().version
    assert version.startswith(f"r{document('settings.yaml')['version']}-")
    monkeypatch.setattr(hashlib, "sha256", hashlib.sha512)
    assert shipped_rules.__wrapped__().version != version


def test_a_class_nobody_knows_is_refused_by_file_and_name() -> None:
    with pytest.raises(
        ValueError, match=r"streams/rules/codes.yaml: classes \['X01'\] are not in schemas/catalogue/incident_classes.yaml"
    ):
        rules._check("codes.yaml", ["S01", "X01"])
