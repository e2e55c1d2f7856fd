"""What a flood sends again is something else for the pipeline: no repeat of what was sent before."""

from __future__ import annotations

from itertools import islice

import orjson

from bench.flood import _Ready, _rounds
from bench.traffic import wires
from schemas.topics import RAW

MADE = [_Ready(RAW[wire.kind].name, 0, wire.key, wire.value) for wire in wires("mixed", 400)]


def test_the_first_round_is_as_made() -> None:
    assert list(islice(_rounds(MADE), len(MADE))) == MADE


def test_later_rounds_differ_in_their_ids_alone() -> None:
    first, second, third = (list(islice(_rounds(MADE), start, start + len(MADE))) for start in (0, len(MADE), 2 * len(MADE)))
    known = {_id(ready) for ready in first}
    assert not known & {_id(ready) for ready in second}
    assert not {_id(ready) for ready in second} & {_id(ready) for ready in third}
    for before, after in zip(first, second, strict=True):
        assert (before.topic, before.partition, before.key) == (after.topic, after.partition, after.key)
        assert orjson.loads(before.value) | {"id": ""} == orjson.loads(after.value) | {"id": ""}


def _id(ready: _Ready) -> tuple[str, str]:
    event = orjson.loads(ready.value)
    return event["source"], event["id"]
