"""One half of a backfill, a process of its own: records of a source through the worker's core, blocks out."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import Any, Final

import numpy as np

from citybrain.backfill.sources import KINDS, Records, Source
from citybrain.children import tied_to_parent
from schemas.block import SCHEMA_VERSION, BlockHeader, encode_block
from schemas.errors import CitybrainError
from schemas.events import Kind
from schemas.places import Places
from streams.columns import RecordColumns, joined
from streams.cook import Kitchen, cook
from streams.live_rules import LiveRules
from streams.locate import Locator

ROWS: Final = 100_000
"""Rows of a block. An insert costs as much as 20,000 rows whatever it holds, and nobody waits for history."""
AHEAD: Final = 2
"""Blocks that may wait to be stored."""


class CookingFailed(CitybrainError):
    """The process that reads and cooks ended; the text says why. What is stored stays; the same command goes on."""


@dataclass(frozen=True)
class Recipe:
    """What records are cooked with. `received_ms`: milliseconds since 1970 UTC, when this backfill began."""

    places: Places
    model: Path | None
    keep_text: bool
    received_ms: int
    rows: int = ROWS


def blocks_of(source: Source, recipe: Recipe, after: Mapping[Kind, int]) -> Iterator[tuple[BlockHeader, bytes]]:
    """Blocks with their headers, those of a kind in order. Pure but for the rules, which are read once."""
    locator, rules = Locator(recipe.places), LiveRules(recipe.model).now()
    kitchens = {kind: Kitchen(kind, locator, rules, recipe.keep_text) for kind in KINDS}
    waiting: dict[Kind, list[RecordColumns]] = {kind: [] for kind in KINDS}
    for found in source.records(after):
        if not found.offsets:
            continue
        parts = waiting[found.kind]
        parts.append(_raw(found, recipe))
        if sum(map(len, parts)) >= recipe.rows:
            records = joined(parts)
            parts.clear()
            while len(records) >= recipe.rows:
                yield _block(source, kitchens[found.kind], records[: recipe.rows])
                records = records[recipe.rows :]
            if records:
                parts.append(records)
    for kind, parts in waiting.items():
        if parts:
            yield _block(source, kitchens[kind], joined(parts))


def cooked_beside(source: Source, recipe: Recipe, after: Mapping[Kind, int]) -> Iterator[tuple[BlockHeader, bytes]]:
    """The same from a process of its own, at most AHEAD blocks before its reader. CookingFailed when it ends early."""
    context = get_context("spawn")
    queue: Any = context.Queue(AHEAD)
    process = context.Process(target=_work, args=(source, recipe, dict(after), queue), daemon=True, name="cook")
    process.start()
    try:
        while True:
            try:
                kind, content = queue.get(timeout=1.0)
            except Empty:
                if process.is_alive():
                    continue
                message = f"{source.name}: the process that cooks ended with code {process.exitcode}"
                raise CookingFailed(message) from None
            if kind == "end":
                return
            if kind == "error":
                message = f"{source.name}: {content}"
                raise CookingFailed(message)
            yield content
    finally:
        process.terminate()
        process.join()


def _work(source: Source, recipe: Recipe, after: Mapping[Kind, int], queue: Any) -> None:
    tied_to_parent()  # one that is killed cannot end us
    gc.disable()  # what is made here lives for one block and has no cycles; `cook` would collect after each
    try:
        for block in blocks_of(source, recipe, after):
            queue.put(("block", block))
            gc.collect(1)
    except Exception as error:  # whatever it is, the storing process has to say it
        queue.put(("error", f"{type(error).__name__}: {error}"))
    else:
        queue.put(("end", None))


def _raw(found: Records, recipe: Recipe) -> RecordColumns:
    offsets = np.array(found.offsets, np.int64)
    return RecordColumns(offsets, np.full(len(offsets), recipe.received_ms), found.values, {})


def _block(source: Source, kitchen: Kitchen, records: RecordColumns) -> tuple[BlockHeader, bytes]:
    cooked = cook(kitchen, records)
    header = BlockHeader(
        schema_version=SCHEMA_VERSION,
        source_topic=source.name,
        source_topic_id=source.topic_id,
        source_partition=KINDS.index(kitchen.kind),
        first_offset=records[0].offset,
        last_offset=records[-1].offset,
        rows=cooked.table.num_rows,
        rejected=len(cooked.rejects),
    )
    return header, encode_block(cooked.table)
