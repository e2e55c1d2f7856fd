"""Texts a second of the written rules on one thread: terms alone, and all rules with context, confidence and evidence.

python -m bench.classify --texts 200000

The texts are made up: 60 characters, about five terms of the rules in each second text, some words of context, filler of
the telling of events. Terms alone is lowering, search and hits; all rules is `Scorer.score` as the worker calls it, with
negation, contexts, threshold, confidence and evidence. Both are measured in one process on the same texts, several times,
and the best is given: other work on the machine can only make it slower.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before polars is loaded: it reads them once

import argparse
import random
import time
from collections.abc import Callable
from typing import Final

import orjson
import polars as pl

from bench.machine import machine
from streams.matching import lowered, words_of
from streams.rules import shipped_rules
from streams.scorer import ROWS_AT_ONCE, Scorer

LENGTH: Final = 60
FILLER: Final = "我在小区门口看到有人今天下午三点多请派人过来处理一下谢谢地址附近楼下晚上情况大约已经电话里说"
ENGLISH_SHARE: Final = 0.1
CONTEXT_SHARE: Final = 0.1
GOALS: Final = {"terms_alone": 300_000, "all_rules": 200_000}


def main() -> None:
    """Measure and print the machine, the versions and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    scorer = shipped_rules().scorer
    texts = made_up(scorer, asked.texts)
    figures = {
        "machine": machine(),
        "threads": pl.thread_pool_size(),
        "rules": scorer.model.version,
        "terms": len(scorer.terms),
        "texts": len(texts),
        "characters": texts.str.len_chars().mean(),
        "hits_per_text": scorer.matrix(texts[:ROWS_AT_ONCE]).hits.nnz / min(len(texts), ROWS_AT_ONCE),
        "classified": scorer.score(texts[:ROWS_AT_ONCE])["terms"].list.len().gt(0).mean(),
        "texts_per_second": {
            "terms_alone": _rate(asked.repeats, texts, lambda: _terms_alone(scorer, texts)),
            "all_rules": _rate(asked.repeats, texts, lambda: scorer.score(texts)),
        },
        "goals": GOALS,
    }
    print(orjson.dumps(figures, option=orjson.OPT_INDENT_2).decode())


def made_up(scorer: Scorer, count: int) -> pl.Series:
    """Texts of 60 characters: every other one holds terms, some an English phrase, some a word of context."""
    dice = random.Random(7)
    terms = [term for term in scorer.terms if not term.isascii()]
    english = [term.rstrip("*") for term in scorer.terms if term.isascii()]
    context = [term for one in scorer.model.contexts.values() for term in one.terms if not term.isascii()]
    context += [word for word in scorer.model.negation.negators if not word.isascii()]

    def text(number: int) -> str:
        parts = dice.choices(terms, k=dice.randint(1, 4)) if number % 2 else []
        if dice.random() < ENGLISH_SHARE:
            parts.append(f" {dice.choice(english)} ")
        if dice.random() < CONTEXT_SHARE:
            parts.append(dice.choice(context))
        while sum(map(len, parts)) < LENGTH:
            parts.append("".join(dice.choices(FILLER, k=6)))
        dice.shuffle(parts)
        return "".join(parts)[:LENGTH]

    return pl.Series([text(number) for number in range(count)])


def _terms_alone(scorer: Scorer, texts: pl.Series) -> None:
    for start in range(0, len(texts), ROWS_AT_ONCE):
        lower = lowered(texts.slice(start, ROWS_AT_ONCE))
        scorer.finder.find(lower, words_of(lower))


def _rate(repeats: int, texts: pl.Series, work: Callable[[], object]) -> dict[str, int]:
    """Best of the repeats by the wall clock and by the processor's time of this process."""
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return {"wall": round(len(texts) / min(walls)), "processor": round(len(texts) / min(processors))}


if __name__ == "__main__":
    main()
