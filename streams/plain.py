"""One look at the bytes of records: which Arrow may read with the meaning that the judge gives them, and which may name persons.

Whole columns at a time; every doubt sends a record to the judge.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.events import EVENT_MODELS, MAX_DEPTH
from schemas.person_fields import PERSON_FIELDS
from streams.arrow_contract import arrow_schema, numbers_in
from streams.columns import bounds_of

LONGEST: Final = 65_536
"""Longer records go to the judge one by one, bytes."""
NUMBERS: Final = sorted({name for model in EVENT_MODELS.values() for name in numbers_in(arrow_schema(model))})
TRAPS: Final = (
    r"[\n\r\x00]|\\u0000"  # a raw line end would cut a record; the contract refuses NUL
    r"|[:,\[][ \t]*-?(?:NaN|Inf"  # rapidjson takes them
    r"|[0-9][0-9.]*[eE]\+?[0-9]{3}|[0-9][0-9.]{99})"  # a field nobody reads may hold more than a double can
    rf"|\"(?:{'|'.join(map(re.escape, NUMBERS))})\"[ \t]*:[ \t]*[\"\[{{tf]"  # Arrow refuses it, and with it all it reads in one call
    rf"|(?:[\[{{][^\[{{]*){{{MAX_DEPTH + 1}}}"  # so many openers may be nesting that is too deep; the judge walks it without recursion
)
"""What Arrow reads in another way than the judge."""
PERSON_KEYS: Final = "(?i:" + "|".join(re.escape(f'"{name}"') for name in sorted(PERSON_FIELDS)) + ")"
EITHER: Final = f"{TRAPS}|{PERSON_KEYS}"
"""One pass over all bytes, for RE2 takes as long for all of it as for a part; the few it stops at are looked at again."""


class Look(NamedTuple):
    """`plain`: which records may be joined by line ends and read by Arrow. `persons`: positions of those with a person's key."""

    plain: NDArray[np.bool_]
    persons: NDArray[np.intp]


def look_at(values: pa.BinaryArray) -> Look:
    """Look at records, each one structured CloudEvent or anything else that was sent."""
    plain = _in_braces(values)
    plain &= pc.less(pc.binary_length(values), LONGEST).to_numpy(zero_copy_only=False)
    stopped = np.flatnonzero(_matches(values, EITHER))
    at = values.take(pa.array(stopped))
    plain[stopped[_matches(at, TRAPS)]] = False
    plain &= _is_text(values)
    return Look(plain, stopped[_matches(at, PERSON_KEYS)])


def _matches(values: pa.BinaryArray, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return found


def _is_text(values: pa.BinaryArray) -> NDArray[np.bool_]:
    try:
        values.cast(pa.string())
    except pa.ArrowInvalid:
        return np.fromiter((_is_utf8(value) for value in values.to_pylist()), bool, len(values))
    return np.ones(len(values), bool)


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
