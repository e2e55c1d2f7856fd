"""Rows of one source partition that are too many: copies, later repeats, rows that the log does not know. Removed by place.

Mutations keep the tokens of `events` and `rejected`; the views follow when they are counted again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from citybrain.audit.raw_log import LogPart
from sinks.store import Store

FACTS: Final = ("events", "rejected")
CHUNK: Final = 5_000
"""Rows named in one mutation."""
TRIES: Final = 5
"""A merge in between renames parts; what was not removed is named again."""


def here(part: LogPart) -> str:
    """SQL: the rows of one source partition."""
    return f"source_topic_id = '{part.topic_id}' AND source_partition = {part.partition}"


def drop_copies(store: Store, part: LogPart) -> int:
    """Of rows stored more than once at one offset, leave the one stored first. Rows removed."""
    return sum(_drop_but_first(store, table, here(part), "source_offset", "stored_at, risk_offset") for table in FACTS)


def drop_repeats(store: Store, part: LogPart) -> int:
    """Of one event stored from several records, leave the one with the first offset. Rows removed."""
    return _drop_but_first(store, "events", here(part), "source, id", "source_offset")


def drop_offsets(store: Store, part: LogPart, offsets: Iterable[int]) -> int:
    """Remove whatever is stored of these offsets. Rows removed."""
    wanted = sorted(set(offsets))
    removed = 0
    for first in range(0, len(wanted), CHUNK):
        listed = ", ".join(str(offset) for offset in wanted[first : first + CHUNK])
        rows = f"{here(part)} AND source_offset IN ({listed})"
        for table in FACTS:
            ((count,),) = store.query(f"SELECT count() FROM {table} WHERE {rows}")
            if count:
                store.command(f"ALTER TABLE {table} DELETE WHERE {rows} SETTINGS mutations_sync = 2")
                removed += int(count)
    return removed


def _drop_but_first(store: Store, table: str, rows: str, same: str, order: str) -> int:
    removed = 0
    for _ in range(TRIES):
        places = store.query(
            f"SELECT part, place FROM (SELECT _part AS part, _part_offset AS place, row_number() OVER (PARTITION BY {same} "
            f"ORDER BY {order}, _part, _part_offset) AS n FROM {table} WHERE {rows}) WHERE n > 1 LIMIT {CHUNK}"
        )
        if not places:
            break
        listed = ", ".join(f"('{name}', {place})" for name, place in places)
        ((before,),) = store.query(f"SELECT count() FROM {table} WHERE {rows}")
        store.command(f"ALTER TABLE {table} DELETE WHERE (_part, _part_offset) IN ({listed}) SETTINGS mutations_sync = 2")
        ((after,),) = store.query(f"SELECT count() FROM {table} WHERE {rows}")
        removed += int(before) - int(after)
    return removed
