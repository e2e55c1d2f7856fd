"""Every row of a block is in exactly one of the tally's five counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.block import BlockHeader, decode_block, encode_block, open_block
from schemas.errors import BadBlock
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


class TestHeadersAndRows:
    """What a block's headers say of it is what the ledger will say: it has to be so (schemas.block.open_block)."""

    GOOD = block([raw(0), bad(1), raw(2)])

    def changed(self, name: str, values: list[Any]) -> bytes:
        table = decode_block(self.GOOD.value)
        at = table.schema.get_field_index(name)
        return encode_block(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type)))

    def test_a_good_one(self) -> None:
        assert open_block(BlockHeader.from_kafka(self.GOOD.headers), self.GOOD.value).num_rows == 3

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ({"rows": 2}, r"headers say 2 rows, offsets 0 to 2; it has 3, 0 to 2"),
            ({"first_offset": 1}, r"headers say 3 rows, offsets 1 to 2"),
            ({"last_offset": 3}, r"offsets 0 to 3; it has 3, 0 to 2"),
        ],
    )
    def test_headers_that_lie(self, change: dict[str, Any], match: str) -> None:
        with pytest.raises(BadBlock, match=match):
            open_block(BlockHeader.from_kafka(self.GOOD.headers)._replace(**change), self.GOOD.value)

    @pytest.mark.parametrize(
        ("name", "values", "match"),
        [
            ("source_offset", [0, None, 2], "source_offset is missing in a row; wanted one in every row"),
            ("id", [None, None, "e2"], "id is missing in a row; wanted one in every accepted row"),
            ("reject_length", [None, -1, None], "reject_length is -1"),
        ],
    )
    def test_rows_without_a_place(self, name: str, values: list[Any], match: str) -> None:
        with pytest.raises(BadBlock, match=match):
            open_block(BlockHeader.from_kafka(self.GOOD.headers), self.changed(name, values))

    @pytest.mark.parametrize("change", [{"source_partition": 70_000}, {"first_offset": -1}, {"first_offset": 3}])
    def test_places_that_kafka_does_not_have(self, change: dict[str, Any]) -> None:
        header = BlockHeader.from_kafka(self.GOOD.headers)._replace(**change)
        with pytest.raises(BadBlock, match="headers of a block: partition"):
            BlockHeader.from_kafka(header.to_kafka())
