"""The rules for texts, counted again without streams: one text at a time, exact decimals, Python's own search.

It reads the same `streams/rules/*.yaml` and shares no code with the worker, so that the two can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

NO_CLASS = "U00"
CLAUSE_END = "，。；！？、：,.;!?:\n"
FIRST_KEPT = 0xF0000


class WrittenRules:
    """What the files say: weight by term and class, classes in order of priority, and the words of context."""

    def __init__(self, settings: dict[str, Any], context: dict[str, Any], documents: Iterable[dict[str, Any]]) -> None:
        self.weights: dict[str, dict[str, Decimal]] = {}
        for document in documents:
            for code, by_weight in document.items():
                for weight, terms in by_weight.items():
                    for term in terms:
                        self.weights.setdefault(term.lower(), {})[code] = Decimal(str(weight))
        for common, share in settings["shares"].items():
            for of_term in self.weights.values():
                kinds = [weight for code, weight in of_term.items() if code in share["of"]]
                if kinds and common not in of_term:
                    of_term[common] = max(kinds) * Decimal(str(share["part"]))
        codes = {code for of_term in self.weights.values() for code in of_term}
        self.order = [*settings["priority"], *sorted(codes - set(settings["priority"]))]
        self.threshold = Decimal(str(settings["threshold"]))
        self.contexts = [
            (Decimal(str(one["raise_by"])), [(term.isascii(), needle(term)) for term in one["terms"]])
            for one in context["contexts"].values()
        ]
        self.needles = [(term.isascii(), needle(term), of_term) for term, of_term in self.weights.items()]
        self.languages = {latin: Language(self.weights, context, latin=latin) for latin in (False, True)}

    @classmethod
    def read(cls, folder: Path) -> WrittenRules:
        """All files of the folder."""
        settings, context, *terms = (
            yaml.safe_load(path.read_text(encoding="utf-8"))
            for path in (folder / "settings.yaml", folder / "context.yaml", *sorted((folder / "terms").glob("*.yaml")))
        )
        return cls(settings, context, terms)

    def class_of(self, text: str) -> str:
        """The class whose terms weigh most; U00 below what the text needs, or where U00 weighs most itself."""
        texts = {False: text.lower(), True: words_of(text.lower())}
        needed = self.threshold + sum(
            raise_by for raise_by, terms in self.contexts if any(term in texts[latin] for latin, term in terms)
        )
        texts = {latin: language.plain(texts[latin]) for latin, language in self.languages.items()}
        scores = dict.fromkeys(self.order, Decimal(0))
        for latin, term, of_term in self.needles:
            if term in texts[latin]:
                for code, weight in of_term.items():
                    scores[code] += weight
        best = max(self.order, key=lambda code: scores[code])
        return best if scores[best] >= needed else NO_CLASS


class Language:
    """What hides or takes back the terms of one kind: those that are words, or those that are substrings."""

    def __init__(self, weights: Iterable[str], context: dict[str, Any], *, latin: bool) -> None:
        def needles(words: Iterable[str]) -> list[str]:
            return sorted({needle(word) for word in words if word.isascii() == latin}, key=lambda word: (-len(word), word))

        negation = context["negation"]
        terms = needles(weights)
        negators, fillers, clause = (needles(negation[name]) for name in ("negators", "fillers", "clause"))
        own = [term for term in terms if any(word in term for word in [*negators, *clause])]
        fill = either(word.strip() for word in fillers)
        self.latin = latin
        self.masks = re.compile(either(needles(mask for group in context["masks"] for mask in group)))
        self.own = re.compile(either(own))
        if latin:
            words = either(word.strip() for word in [*negators, *clause])
            self.negator = re.compile(f" {words}(?: +{fill}){{0,{negation['reach']}}} +")
        else:
            self.negator = re.compile(f"{either(negators)}{fill}{{0,{negation['reach']}}}")
        self.clause = re.compile(f"{either(clause)}[^{re.escape(CLAUSE_END)}]*")
        self.negated = re.compile(f"¬{either(terms)}")

    def plain(self, text: str) -> str:
        """The text without terms that a longer phrase hides or a negator takes back."""
        text = self.masks.sub(" □ " if self.latin else "□", text)
        kept = self.own.findall(text)
        numbers = iter(range(FIRST_KEPT, FIRST_KEPT + len(kept)))
        text = self.own.sub(lambda _: chr(next(numbers)), text)
        if not self.latin:
            text = self.clause.sub("□", text)
        text = self.negator.sub("¬", text)
        if not self.latin:
            text = self.negated.sub("□", text)
        return re.sub("[\U000f0000-\U000fffff]", lambda hit: kept[ord(hit[0]) - FIRST_KEPT], text)


def needle(term: str) -> str:
    """What is looked for: words with blanks around them, or the lowered term."""
    lower = term.lower()
    if not lower.isascii():
        return lower
    words = re.sub("[^a-z0-9]+", " ", lower).strip()
    return f" {words}" if lower.endswith("*") else f" {words} "


def words_of(lower: str) -> str:
    """ASCII letters and digits, everything else a blank."""
    return f" {re.sub('[^a-z0-9]+', ' ', lower)} "


def either(words: Iterable[str]) -> str:
    """A group of alternatives in the order given."""
    return "(?:" + "|".join(map(re.escape, words)) + ")"
