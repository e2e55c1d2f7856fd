"""Find entries by id, Chinese or English. Pure: a query and a catalogue in, ranked hits out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from schemas.catalogue.models import Catalogue, id_of
from schemas.catalogue.similar import dice

LISTS: Final = ("categories", "incident_classes", "scenarios", "information_classes", "departments")
"""Lists that are searched; of equal hits those of an earlier list stand first."""
MISSPELT: Final = 0.6
"""Dice coefficient of letter pairs from which a word counts as misspelt."""


class Hit(NamedTuple):
    """One entry that was found. `score` from 0 to 100; `where` says what matched."""

    score: int
    list: str
    id: str
    zh: str
    en: str
    where: str


def search(catalogue: Catalogue, query: str, *, limit: int = 20) -> list[Hit]:
    """The best entries for a query, best first. Several words: every one has to be found.

    An id or name as it stands comes before one that begins with the query, then whole words, then parts of names, then
    definitions, examples and other texts; misspelt English words come last. An empty query finds nothing.
    """
    words = query.casefold().split()
    if not words:
        return []
    hits = [hit for name in LISTS for entry in getattr(catalogue, name) if (hit := _hit(name, entry, query.casefold(), words))]
    order = {name: place for place, name in enumerate(LISTS)}
    return sorted(hits, key=lambda hit: (-hit.score, order[hit.list], len(hit.zh)))[:limit]


def _hit(name: str, entry: Any, query: str, words: list[str]) -> Hit | None:
    whole = _score(entry, query.strip())
    each = [whole] if len(words) == 1 else [_score(entry, word) for word in words]
    score, where = max(whole, min(each))
    return Hit(score, name, id_of(entry), entry.zh, entry.en, where) if score else None


def _score(entry: Any, word: str) -> tuple[int, str]:
    """How well one word fits one entry, and where."""
    key, zh, en = id_of(entry).casefold(), entry.zh.casefold(), entry.en.casefold()
    local = key.rpartition(".")[2]
    if word in {key, local}:
        return 100, "id"
    if word in {zh, en}:
        return 95, "name"
    if key.startswith(word) or local.startswith(word):
        return 85, "id"
    if zh.startswith(word) or en.startswith(word):
        return 80, "name"
    if re.search(rf"\b{re.escape(word)}\b", en):
        return 70, "name"
    if word in zh or word in en:
        return 60, "name"
    if word in key:
        return 50, "id"
    if any(word in text.casefold() for text in _texts(entry)):
        return 30, "text"
    return (10, "misspelt") if _misspelt(word, en) else (0, "")


def _misspelt(word: str, en: str) -> bool:
    if len(word) < 4 or not word.isascii():
        return False
    pairs = _pairs(word)
    return any(dice(pairs, _pairs(other)) >= MISSPELT for other in re.findall(r"[a-z]{4,}", en))


def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[i : i + 2] for i in range(len(word) - 1))


def _texts(value: Any) -> Iterator[str]:
    """Every text of an entry, of its parts too; not what it refers to by id, or a scenario would be found by each of its classes."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in {"incident_classes", "information_classes", "indicators", "alert_rules", "levels", "excludes"}:
                yield from _texts(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value
