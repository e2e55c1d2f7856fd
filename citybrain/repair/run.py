"""The repair: hold, drop what is too many, fill what is missing, make the ledger agree, count aggregates again, let go.

Each step leaves a store that the next run goes on with; doing it twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from citybrain.audit.facts import find
from citybrain.audit.raw_log import LogPart, read_log
from citybrain.audit.run import ledger_ends, stored_of
from citybrain.repair.fill import fill
from citybrain.repair.ledger import count_again, restore_lost
from citybrain.repair.rows import drop_copies, drop_offsets, drop_repeats
from schemas.events import Kind
from schemas.kafka_options import LOADER_GROUP, Broker
from schemas.topics import RAW
from sinks.holds import Hold
from sinks.maintenance import held
from sinks.rebuild import differing, rebuild_partition, targets
from sinks.store import Store
from streams.cook import Kitchen

log = logging.getLogger(__name__)

KINDS: dict[str, Kind] = {topic.name: kind for kind, topic in RAW.items()}


@dataclass(slots=True)
class Repaired:
    """What was done, rows; `rebuilt`: partitions of each view target that were counted again."""

    copies_removed: int = 0
    repeats_removed: int = 0
    strangers_removed: int = 0
    """rows without a record in the log, of another event than their record, or both accepted and rejected"""
    filled: int = 0
    ledger_restored: int = 0
    ledger_changed: int = 0
    rebuilt: dict[str, int] = field(default_factory=dict)

    @property
    def rows_changed(self) -> bool:
        """Whether facts were touched, so that aggregate states cannot be trusted by their counts."""
        return bool(self.copies_removed + self.repeats_removed + self.strangers_removed + self.filled)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def repair(broker: Broker, store: Store, kitchen: Callable[[Kind], Kitchen], group: str = LOADER_GROUP) -> Repaired:
    """Mend a store. `kitchen` cooks records of a kind as the workers do.

    Holes that no ledger row covers are left to `citybrain reread`, whose blocks the loader stores. NotHeld, HoldLost,
    BrokerUnavailable, StoreUnavailable: run it again.
    """
    done = Repaired()
    with held(broker, store, "repair", group) as hold:
        ends = ledger_ends(store.query_arrow)
        topics = [topic.name for topic in RAW.values()]
        parts = read_log(broker, topics, lambda topic_id, number: ends.get((topic_id, number), 0), lambda _: hold.check())
        holes = [(part, _drop(store, part, hold, done)) for part in parts]
        done.ledger_restored = restore_lost(broker, store)  # only now: rows that are no records' have no place in it
        for part, offsets in holes:
            if offsets:
                done.filled += fill(broker, store, part, offsets, kitchen(KINDS[part.topic]), hold.check)
        done.ledger_changed = count_again(store, hold.check)
        for target in targets(store):
            partitions = differing(store, target, states=done.rows_changed)
            for partition in partitions:
                rebuild_partition(store, target, partition, check=hold.check)
            done.rebuilt[target.table] = len(partitions)
    log.warning("repaired: %s", done)
    return done


def _drop(store: Store, part: LogPart, hold: Hold, done: Repaired) -> list[int]:
    """Remove what is too many in one partition; the offsets that are stored nowhere then."""
    hold.check()
    done.copies_removed += drop_copies(store, part)
    found = find(part, stored_of(store.query_arrow, part))
    in_both = found.twice[np.isin(found.twice, part.offsets)]
    strange = [*found.without_record.tolist(), *found.other_event.tolist(), *in_both.tolist()]
    done.strangers_removed += drop_offsets(store, part, strange)
    if len(found.same_event):
        done.repeats_removed += drop_repeats(store, part)
    holes: list[int] = find(part, stored_of(store.query_arrow, part)).holes.tolist()
    return holes
