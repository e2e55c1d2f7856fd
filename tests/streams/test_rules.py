"""The rule files: every class known, nothing twice, every term able to decide, nothing about persons."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from importlib.resources import files
from typing import Any

import pytest
import yaml

from schemas.taxonomy import UNCLASSIFIED, taxonomy
from streams import rules
from streams.rules import FILES, shipped_rules


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
    assert document(name)["version"] >= 1


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


def test_every_class_but_others_has_terms_of_known_weight() -> None:
    """C99 has terms too: fraud that no kind of fraud explains."""
    by_class = document("terms.yaml")["classes"]
    named = {code for code in taxonomy().classes if not code.endswith("99") and code != UNCLASSIFIED}
    assert set(by_class) == named | {"C99"}
    for code, terms in by_class.items():
        for term, weight in terms.items():
            assert isinstance(term, str), (code, term)
            assert term == term.strip(), (code, term)
            assert len(term) >= 2, (code, term)
            assert 0 < weight <= 3, (code, term)


def test_every_class_can_be_reached_by_its_own_terms() -> None:
    threshold = document("terms.yaml")["threshold"]
    for code, terms in document("terms.yaml")["classes"].items():
        assert max(terms.values()) >= threshold, code


def test_no_two_terms_of_a_class_differ_by_case_only() -> None:
    found = shipped_rules().terms.select("term", "class")
    assert found.is_unique().all()


@pytest.mark.parametrize(
    "word",
    ["宗教", "民族", "上访", "信访", "集会", "游行", "示威", "请愿", "言论", "舆情", "信仰", "邪教", "罢工", "精神病", "前科",
     "protest", "petition", "demonstrat", "relig", "ethnic", "opinion", "immigra", "gay", "muslim"],
)  # fmt: skip
def test_no_term_says_who_somebody_is_or_what_they_think(word: str) -> None:
    assert [term for term in shipped_rules().terms["term"] if word in term] == []


def test_the_version_names_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that change are audited: another byte is another version."""
    version = shipped_rules().version
    assert version.startswith(f"r{document('terms.yaml')['version']}-")
    monkeypatch.setattr(hashlib, "sha256", hashlib.sha512)
    assert shipped_rules.__wrapped__().version != version


def test_a_class_nobody_knows_is_refused_by_file_and_name() -> None:
    with pytest.raises(
        ValueError, match=r"streams/rules/codes.yaml: classes \['X01'\] are not in schemas/catalogue/incident_classes.yaml"
    ):
        rules._check("codes.yaml", ["S01", "X01"])
