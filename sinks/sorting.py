"""One block sorted into what goes to `events`, what to `rejected`, and what is dropped. Pure.

Every row is in exactly one of the five counts of the tally, so nothing can vanish here unseen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.block import EVENT_FIELDS, BlockHeader
from sinks.covered import Covered
from sinks.ledger import Position, Tally
from sinks.repeats import Lookup, RecentEvents


class Sorted(NamedTuple):
    """Rows ready for their tables, and the count of every row's fate."""

    events: pa.Table
    rejected: pa.Table
    tally: Tally


def sort_block(
    block: pa.Table, header: BlockHeader, position: Position, covered: Covered, recent: RecentEvents, lookup: Lookup
) -> Sorted:
    """Drop rows whose offset is covered (redelivered) and repeated events; split the rest."""
    offsets = block["source_offset"].to_numpy()
    fresh = _only(block, ~covered.contains(offsets))
    is_reject = pc.is_valid(fresh["reject_reason"]).to_numpy()
    rejects, accepted = fresh.filter(pa.array(is_reject)), _only(fresh, ~is_reject)
    verdict = recent.judge(accepted, lookup)
    events = _only(accepted, ~(verdict.repeat | verdict.conflict))
    tally = Tally(
        stored=events.num_rows,
        rejected=rejects.num_rows,
        repeated=int(np.count_nonzero(verdict.repeat)),
        conflict=int(np.count_nonzero(verdict.conflict)),
        redelivered=block.num_rows - fresh.num_rows,
    )
    columns = [field.name for field in EVENT_FIELDS]
    return Sorted(
        _with_origin(events, events.select(columns), header, position),
        _with_origin(rejects, _reject_columns(rejects), header, position),
        tally,
    )


def _only(rows: pa.Table, wanted: NDArray[np.bool_]) -> pa.Table:
    """The wanted rows. Mostly that is all of them, and copying forty columns costs more than the rest of the sorting."""
    return rows if wanted.all() else rows.filter(pa.array(wanted))


def _reject_columns(rejects: pa.Table) -> pa.Table:
    body = rejects["reject_body"].cast(pa.binary())
    return pa.table(
        {
            "reason": rejects["reject_reason"],
            "detail": rejects["reject_detail"],
            "body": body,
            "length": rejects["reject_length"].cast(pa.uint64()),
            "sha256": rejects["reject_sha256"],
            "received_at": rejects["received_at"],
        }
    )


def _with_origin(rows: pa.Table, table: pa.Table, header: BlockHeader, position: Position) -> pa.Table:
    """Append where each row came from: raw record and record of citybrain.risk."""
    count = rows.num_rows

    def word(text: str) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text]))

    origin = {
        "source_topic": word(header.source_topic),
        "source_topic_id": word(header.source_topic_id),
        "source_partition": pa.array(np.full(count, header.source_partition, np.uint16)),
        "source_offset": rows["source_offset"].cast(pa.uint64()),
        "risk_topic_id": word(position.topic_id),
        "risk_partition": pa.array(np.full(count, position.partition, np.uint16)),
        "risk_offset": pa.array(np.full(count, position.offset, np.uint64)),
    }
    for name, column in origin.items():
        table = table.append_column(name, column)
    return table
