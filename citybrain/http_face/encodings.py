"""Content encodings of requests and answers, by the names of HTTP."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Final

import lz4.frame
import zstandard

Change = Callable[[bytes], bytes]

PACK: Final[dict[str, Change]] = {
    "lz4": lz4.frame.compress,
    "zstd": lambda data: zstandard.compress(data, 1),
    "gzip": lambda data: gzip.compress(data, 1),
    "deflate": lambda data: zlib.compress(data, 1),
}
"""Encoding to what packs an answer, best first."""


class BadEncoding(Exception):
    """A body is not in the encoding its header names, or nobody here knows that encoding."""


def unpack(data: bytes, encoding: str, most: int) -> bytes:
    """The body as it was before its Content-Encoding; BadEncoding when it is more than `most` bytes, as a bomb's would be."""
    if encoding in {"", "identity"}:
        return data
    try:
        opened = _unpack(data, encoding, most)
    except (RuntimeError, OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        message = f"the body is no whole {encoding}: {error}"
        raise BadEncoding(message) from error
    if len(opened) > most:
        message = f"the body has more than {most:,} bytes when unpacked"
        raise BadEncoding(message)
    return opened


def _unpack(data: bytes, encoding: str, most: int) -> bytes:
    if encoding == "lz4":
        frame = lz4.frame.LZ4FrameDecompressor()
        return _whole(frame.decompress(data, most + 1), most, ended=frame.eof)
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return reader.read(most + 1)
    if encoding in {"gzip", "deflate"}:
        inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by its own header
        return _whole(inflate.decompress(data, most + 1), most, ended=inflate.eof)
    message = f"Content-Encoding {encoding!r}; wanted one of {', '.join(PACK)}"
    raise BadEncoding(message)


def _whole(opened: bytes, most: int, *, ended: bool) -> bytes:
    if not ended and len(opened) <= most:
        raise EOFError("it is cut off")
    return opened


def pack(data: bytes, accepted: str) -> tuple[bytes, str]:
    """The answer in the best encoding that `Accept-Encoding` names, and the encoding's name; empty: as it is."""
    names = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    for name, change in PACK.items():
        if name in names:
            return change(data), name
    return data, ""
