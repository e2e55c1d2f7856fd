"""Which records Arrow may read: those whose bytes mean the same to it as to the judge.

Whole columns at a time; every doubt sends a record to the judge.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.events import MAX_DEPTH
from streams.columns import bounds_of

LONGEST: Final = 65_536
"""Longer records go to the judge one by one, bytes."""
TRAPS: Final = (
    r"[\n\r\x00]|\\u0000"  # a raw line end would cut a record; the contract refuses NUL
    r"|[:,\[][ \t]*-?(?:NaN|Inf"  # rapidjson takes them
    r"|[0-9][0-9.]*[eE]\+?[0-9]{3}|[0-9][0-9.]{99})"  # a field nobody reads may hold more than a double can
    rf"|(?:[\[{{][^\[{{]*){{{MAX_DEPTH + 1}}}"  # so many openers may be nesting that is too deep; the judge walks it without recursion
)
"""What Arrow reads in another way than the judge. One pass over the bytes: RE2 takes as long for all of it as for a part."""


def is_plain(values: pa.BinaryArray) -> NDArray[np.bool_]:
    """Which records may be joined by line ends and read by Arrow with the meaning that the judge gives them."""
    plain = _in_braces(values)
    plain &= pc.less(pc.binary_length(values), LONGEST).to_numpy(zero_copy_only=False)
    plain &= ~pc.match_substring_regex(values, TRAPS).to_numpy(zero_copy_only=False)
    try:
        values.cast(pa.string())
    except pa.ArrowInvalid:
        plain &= np.fromiter((_is_utf8(value) for value in values.to_pylist()), bool, len(values))
    return plain


def _in_braces(values: pa.BinaryArray) -> NDArray[np.bool_]:
    """Which records begin with `{` and end with `}`."""
    bounds = bounds_of(values)
    first, last = bounds[:-1], bounds[1:] - 1
    inside = first < last
    if not inside.any():
        return inside
    text = np.frombuffer(values.buffers()[2], np.uint8)
    inside[inside] = (text[first[inside]] == ord("{")) & (text[last[inside]] == ord("}"))
    return inside


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
