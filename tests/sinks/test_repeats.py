"""Repeated events against a plain dictionary, however the stream is cut into blocks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks import repeats
from sinks.repeats import RecentEvents
from tests.sinks.blocks import keys_of

STREAM = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.integers(0, 1)), max_size=30)


@pytest.fixture(autouse=True)
def _small_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "HORIZON", 1_000)


def rows_of(events: list[tuple[str, str, int]]) -> pa.Table:
    sources, ids, bodies = zip(*events, strict=True) if events else ((), (), ())
    return pa.table({
        "source": pa.array(sources, pa.string()).dictionary_encode(),
        "id": pa.array(ids, pa.string()),
        "body_hash": pa.array(bodies, pa.uint64()),
    })  # fmt: skip


@settings(deadline=None)
@given(STREAM, st.integers(1, 7))
def test_the_first_copy_wins_whatever_the_cut(stream: list[tuple[str, str, int]], size: int) -> None:
    recent, stored, naive = RecentEvents(), dict[tuple[str, str], int](), dict[tuple[str, str], int]()
    for start in range(0, len(stream), size):
        part = stream[start : start + size]
        verdict = recent.judge(
            rows_of(part), lambda keys: {event: body for event, body in stored.items() if keys_of(event)[0] in keys}
        )
        for row, (source, event_id, body) in enumerate(part):
            first = naive.setdefault((source, event_id), body) if (source, event_id) in naive else None
            assert bool(verdict.repeat[row]) == (first == body and first is not None)
            assert bool(verdict.conflict[row]) == (first is not None and first != body)
            if first is None:
                naive[source, event_id] = stored[source, event_id] = body


def test_a_false_alarm_of_the_screen_is_settled_by_the_lookup() -> None:
    recent = RecentEvents(keys_of(("s", "1")))
    verdict = recent.judge(rows_of([("s", "1", 5)]), lambda _: {})

    assert not verdict.repeat.any()
    assert not verdict.conflict.any()


def test_the_screen_forgets_after_two_horizons_and_never_within_one() -> None:
    keys = keys_of(*(("s", str(number)) for number in range(3_500)))
    recent = RecentEvents(keys)

    assert recent.knows(keys[2_500:]).all()
    assert np.count_nonzero(recent.knows(keys[:1_000])) < 5
