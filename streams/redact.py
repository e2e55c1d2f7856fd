"""Free text that a deployment asks to keep, without what names a person.

Patterns: mainland mobile and landline numbers, 18- and 15-digit identity numbers, e-mail addresses, car plates.
Order matters: an identity number holds what looks like a telephone number.
"""

from __future__ import annotations

from typing import Final

import polars as pl

PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
MARKS: Final = "A-HJ-NP-Za-hj-np-z0-9"
PATTERNS: Final[tuple[tuple[str, str], ...]] = (
    (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "[email]"),
    (r"\d{17}[\dXx]|\d{15}", "[id]"),
    (r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8}", "[phone]"),
    (rf"[{PROVINCES}][ ]?[A-Za-z][·.\- ]?[{MARKS}]{{4,5}}[{MARKS}挂学警港澳]", "[plate]"),
)


def redact(text: pl.Series, *, keep: bool) -> pl.Series:
    """The text without numbers and addresses of persons, or nulls when the deployment keeps no text."""
    if not keep:
        return pl.Series(text.name, [None] * len(text), dtype=pl.String)
    for pattern, mark in PATTERNS:
        text = text.str.replace_all(pattern, mark)
    return text


def redact_note(note: str) -> str:
    """One text, redacted: the note of an action where the deployment keeps text."""
    return str(redact(pl.Series([note]), keep=True)[0])
