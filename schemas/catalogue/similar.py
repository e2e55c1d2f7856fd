"""Names that are nearly the same, in Chinese or in English.

Chinese   Dice coefficient of the character pairs of a name, without words that say nothing in such names.
English   Dice coefficient of the words of a name, without their plural and without words that say nothing.
Both      the Dice coefficient 2 |A and B| / (|A| + |B|) is 1 for equal sets and 0 for sets with nothing in common (Dice 1945).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from schemas.catalogue.models import InformationClass

NEARLY: Final = 0.85
"""From here on one language alone is enough."""
BOTH: Final = 0.67
"""From here on it is enough when both languages say so."""
EMPTY_CHINESE: Final = re.compile(r"事件|情况|报告|上报|警情|报警|记录|问题|监测|检测|数据|信息|[（）()、，：的与和及类]")
EMPTY_ENGLISH: Final = frozenset(
    {
        "a", "an", "and", "at", "by", "case", "cases", "data", "event", "events", "for", "in", "incident", "incidents", "information",
        "measured", "monitoring", "of", "on", "or", "problem", "problems", "reading", "readings", "record", "records", "report",
        "reports", "the", "to", "with",
    }
)  # fmt: skip


def near_duplicates(classes: Sequence[InformationClass]) -> Iterator[tuple[str, str, str]]:
    """Pairs of ids whose names are nearly the same, and how near. Classes of one list, each pair once."""
    grams = [(entry, _pairs(entry.zh), _words(entry.en)) for entry in classes]
    for (one, zh, en), (other, other_zh, other_en) in combinations(grams, 2):
        in_chinese, in_english = dice(zh, other_zh), dice(en, other_en)
        if max(in_chinese, in_english) >= NEARLY or min(in_chinese, in_english) >= BOTH:
            yield one.id, other.id, f"{one.zh} / {other.zh} {in_chinese:.2f}, {one.en} / {other.en} {in_english:.2f}"


def dice(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice coefficient of two sets; 0 when both are empty."""
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0


def _pairs(name: str) -> frozenset[str]:
    """Pairs of neighbouring characters; a name of one character is its own pair."""
    plain = EMPTY_CHINESE.sub("", name).casefold() or name
    return frozenset(plain[i : i + 2] for i in range(len(plain) - 1)) or frozenset({plain})


def _words(name: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9.]+", name.casefold())
    return frozenset(_singular(word) for word in words if word not in EMPTY_ENGLISH) or frozenset(words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
