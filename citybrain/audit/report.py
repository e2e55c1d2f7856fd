"""What an audit found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MOST_EXAMPLES = 50


@dataclass(slots=True)
class AuditReport:
    """Counts of records. `clean` only if nothing is lost, doubled, invented, or counted wrongly."""

    checked: int = 0
    """records of the log that were compared"""
    holes: int = 0
    """records that are in no table and whose event is stored nowhere"""
    twice: int = 0
    """offsets or events that are stored more than once"""
    orphans: int = 0
    """stored rows whose record is not in the log, or is another event"""
    repeated: int = 0
    """records that repeat an event stored from another record"""
    pending: int = 0
    """records newer than the ledger: on their way"""
    not_checkable: int = 0
    """stored rows whose record is past retention, or of an earlier life of the topic"""
    aggregate_differences: dict[str, int] = field(default_factory=dict)
    """buckets of each view target that differ from a recount of the stored events"""
    ledger_differences: int = 0
    """source topics whose rows are not what the ledger says"""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """topic, partition, offset and what is wrong, at most MOST_EXAMPLES"""
    seconds: float = 0.0

    @property
    def aggregates_equal(self) -> bool:
        """Whether every bucket equals a recount."""
        return not any(self.aggregate_differences.values())

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice."""
        return not (self.holes or self.twice or self.orphans or self.ledger_differences) and self.aggregates_equal

    def example(self, topic: str, partition: int, offset: int, what: str) -> None:
        """Keep one example of what is wrong."""
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append({"topic": topic, "partition": partition, "offset": offset, "what": what})

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "aggregates_equal": self.aggregates_equal, "clean": self.clean}
