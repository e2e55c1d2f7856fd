"""Bytes that stay the same while we run, packed once at their best for browsers that can unpack them."""

from __future__ import annotations

import gzip
from typing import NamedTuple

import brotli


class Packed(NamedTuple):
    """The same bytes as they are and in the two forms of packing; None: packing would not make them smaller."""

    body: bytes
    brotli: bytes | None = None
    gzip: bytes | None = None

    @classmethod
    def of(cls, body: bytes) -> Packed:
        """Pack as tightly as can be: a tenth of a second for a hundred kilobytes."""
        packed = brotli.compress(body, quality=11), gzip.compress(body, 9, mtime=0)
        return cls(body, *(one if len(one) < len(body) else None for one in packed))

    def for_reader(self, accepted: str) -> tuple[bytes, dict[str, str]]:
        """The smallest form that an Accept-Encoding header allows, and the headers that say so."""
        wanted = _codings(accepted)
        vary = {"Vary": "Accept-Encoding"}
        for coding, form in (("br", self.brotli), ("gzip", self.gzip)):
            if form is not None and coding in wanted:
                return form, vary | {"Content-Encoding": coding}
        return self.body, vary


def _codings(accepted: str) -> set[str]:
    """Names in the header that are not refused by a weight of zero."""
    found = set()
    for part in accepted.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name and not any(one.startswith("q=") and one[2:].strip("0.") == "" for one in parameters):
            found.add(name)
    return found
