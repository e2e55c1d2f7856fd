"""What deciding again changes, counted. Pure: frames of `streams.relabel.decide_again` in, one object out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from streams.relabel import LABELS

EXAMPLES: Final = 3
"""Kept for each pair of old and new class."""
SHOWN: Final = ("source", "id", "at", "code", "classified_by", "evidence", "new_classified_by", "new_evidence", "text")
"""Of an example; text is null unless the deployment keeps it."""


@dataclass(slots=True)
class Changes:
    """`rows`: events looked at. Each is `kept`, `same`, or relabelled: another class, another reason, or only a new version."""

    rules_version: str
    rows: int = 0
    kept: int = 0
    same: int = 0
    changed: int = 0
    reason: int = 0
    version: int = 0
    from_log: int = 0
    """decided from their record in the raw log; the others from what was stored"""
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """events by the rules that labelled them until now"""

    @property
    def relabelled(self) -> int:
        """Events that get another class, reason or version."""
        return self.changed + self.reason + self.version

    def add(self, decided: pl.DataFrame, from_log: int) -> pl.DataFrame:
        """Count rows of `decide_again`. Those that change, with their new labels."""
        other = decided.select(*(pl.col(name) != pl.col(f"new_{name}") for name in LABELS))
        moved = other["incident_class"] | other["category"]
        reason = ~moved & (other["classified_by"] | other["evidence"])
        version = ~moved & ~reason & other["rules_version"]
        self.rows += len(decided)
        self.kept += int(decided["kept"].sum())
        self.changed += int(moved.sum())
        self.reason += int(reason.sum())
        self.version += int(version.sum())
        self.same = self.rows - self.kept - self.relabelled
        self.from_log += from_log
        for old, count in decided.group_by("rules_version").len().iter_rows():
            self.versions[old] = self.versions.get(old, 0) + count
        self._add_pairs(decided.filter(moved))
        return decided.filter(moved | reason | version)

    def _add_pairs(self, moved: pl.DataFrame) -> None:
        for (old, new), rows in moved.group_by("incident_class", "new_incident_class", maintain_order=True):
            pair = (str(old), str(new))
            self.pairs[pair] = self.pairs.get(pair, 0) + len(rows)
            kept = self.examples.setdefault(pair, [])
            kept += rows.head(EXAMPLES - len(kept)).select(name for name in SHOWN if name in rows.columns).to_dicts()

    def to_dict(self) -> dict[str, Any]:
        """For JSON; pairs by how many events they move."""
        order = sorted(self.pairs, key=lambda pair: (-self.pairs[pair], pair))
        return {
            "rules_version": self.rules_version, "rows": self.rows, "from_log": self.from_log, "relabelled": self.relabelled,
            "changed": self.changed, "other_reason": self.reason, "only_version": self.version, "same": self.same,
            "kept": self.kept, "versions": dict(sorted(self.versions.items())),
            "classes": [
                {"from": old, "to": new, "events": self.pairs[old, new], "examples": self.examples[old, new]} for old, new in order
            ],
        }  # fmt: skip
