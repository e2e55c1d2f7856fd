"""Repeated events against a plain dictionary, however the stream is cut into blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import repeats
from sinks.repeats import RecentEvents, event_key

STREAM = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.integers(0, 1)), max_size=30)


@pytest.fixture(autouse=True)
def _small_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "HORIZON", 1_000)


@given(STREAM, st.integers(1, 7))
def test_the_first_copy_wins_whatever_the_cut(stream: list[tuple[str, str, int]], size: int) -> None:
    recent, stored, naive = RecentEvents(), dict[tuple[str, str], int](), dict[tuple[str, str], int]()
    for start in range(0, len(stream), size):
        part = stream[start : start + size]
        verdict = recent.judge(
            [source for source, _, _ in part],
            [event_id for _, event_id, _ in part],
            [body for _, _, body in part],
            lambda keys: {event: body for event, body in stored.items() if event_key(*event) in keys},
        )
        for row, (source, event_id, body) in enumerate(part):
            first = naive.setdefault((source, event_id), body) if (source, event_id) in naive else None
            assert bool(verdict.repeat[row]) == (first == body and first is not None)
            assert bool(verdict.conflict[row]) == (first is not None and first != body)
            if first is None:
                naive[source, event_id] = stored[source, event_id] = body


def test_a_false_alarm_of_the_screen_is_settled_by_the_lookup() -> None:
    recent = RecentEvents([event_key("s", "1")])
    verdict = recent.judge(["s"], ["1"], [5], lambda _: {})

    assert not verdict.repeat.any()
    assert not verdict.conflict.any()


def test_the_screen_forgets_after_two_horizons_and_never_within_one() -> None:
    recent = RecentEvents(range(1, 3_500))

    assert all(key in recent._newer or key in recent._older for key in range(2_500, 3_500))
    assert len([key for key in range(1, 1_000) if key in recent._newer or key in recent._older]) < 5
