"""The block that is being stored, on disk before its first insert: after a kill the same bytes go in under the same tokens.

It is to a file what `citybrain.risk` is to a topic. Cooking again would not do: rules or places may have changed meanwhile.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import orjson

from schemas.block import BlockHeader
from sinks.ledger import Position


class Spooled(NamedTuple):
    """One block and where it goes."""

    position: Position
    header: BlockHeader
    value: bytes


class Spool:
    """One file for one source."""

    def __init__(self, folder: Path, topic_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{topic_id}.block"

    def write(self, block: Spooled) -> None:
        """All or nothing, and on the disk when this returns."""
        head = orjson.dumps({"position": list(block.position), "header": list(block.header), "length": len(block.value)})
        beside = self._path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(head + b"\n" + block.value)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def read(self) -> Spooled | None:
        """What was being stored when the last run ended; None when nothing was."""
        if not self._path.exists():
            return None
        head, _, value = self._path.read_bytes().partition(b"\n")
        found = orjson.loads(head)
        return Spooled(Position(*found["position"]), BlockHeader(*found["header"]), value)

    def clear(self) -> None:
        """It is in the ledger."""
        self._path.unlink(missing_ok=True)
