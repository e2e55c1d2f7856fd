"""Every row of a block is in exactly one of the tally's five counts."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.block import BlockHeader, decode_block
from sinks.covered import Covered
from sinks.repeats import RecentEvents
from sinks.sorting import Sorted, sort_block
from streams.records import RawRecord
from tests.sinks.blocks import Block, at, bad, block, keys_of, raw


def sort(made: Block, covered: Covered | None = None, stored: dict[tuple[str, str], int] | None = None) -> Sorted:
    stored = stored or {}
    recent = RecentEvents(keys_of(*stored))
    return sort_block(
        decode_block(made.value), BlockHeader.from_kafka(made.headers), at(7), covered or Covered(), recent,
        lambda keys: {event: body for event, body in stored.items() if keys_of(event)[0] in keys},
    )  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["good", "bad", "again", "other"]), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 3)), max_size=3),
)
def test_no_row_vanishes(kinds: list[str], ranges: list[tuple[int, int]]) -> None:
    """`again` repeats one event, `other` repeats it with another body."""
    make: dict[str, Callable[[int], RawRecord]] = {
        "good": raw,
        "bad": bad,
        "again": lambda offset: raw(offset, "same", case_id="c"),
        "other": lambda offset: raw(offset, "same", case_id=f"d{offset}"),
    }
    covered = Covered((first, first + more) for first, more in ranges)
    result = sort(block(make[kind](offset) for offset, kind in enumerate(kinds)), covered)

    assert sum(result.tally) == len(kinds)
    assert result.tally.stored == result.events.num_rows
    assert result.tally.rejected == result.rejected.num_rows
    fresh = [offset for offset in range(len(kinds)) if not any(a <= offset <= a + more for a, more in ranges)]
    assert result.tally.redelivered == len(kinds) - len(fresh)
    kept = set(result.events["source_offset"].to_pylist()) | set(result.rejected["source_offset"].to_pylist())
    assert kept <= set(fresh)
    assert {offset for offset in fresh if kinds[offset] in {"good", "bad"}} <= kept
    same = [offset for offset in fresh if kinds[offset] in {"again", "other"}]
    assert [offset for offset in same if offset in kept] == same[:1]


def test_a_block_of_rejects_alone_is_a_block() -> None:
    result = sort(block([bad(0), bad(1)]))

    assert result.tally == (0, 2, 0, 0, 0)
    assert result.rejected["reason"].to_pylist() == ["not_json", "not_json"]


def test_a_row_knows_where_it_came_from() -> None:
    row = sort(block([raw(40)], partition=1, topic_id="raw-9")).events.to_pylist()[0]

    assert (row["source_topic"], row["source_topic_id"]) == ("citybrain.police", "raw-9")
    assert (row["source_partition"], row["source_offset"]) == (1, 40)
    assert (row["risk_topic_id"], row["risk_partition"], row["risk_offset"]) == ("risk-1", 0, 7)
