"""Why a record was rejected: the closed list of reasons, the same words in table, metric and page."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "empty": "the record has no value",
    "too_large": "the record is longer than schemas.events.MAX_EVENT_BYTES",
    "too_deep": "the record is nested deeper than schemas.events.MAX_DEPTH",
    "not_utf8": "the record is not UTF-8",
    "not_json": "the record is not JSON (NaN and Infinity are not JSON)",
    "nul_byte": "a string holds a NUL character",
    "not_cloudevents": "an attribute of CloudEvents 1.0 is missing or wrong",
    "unknown_type": "the type is not the one this topic takes",
    "invalid_time": "the time is missing, not RFC 3339 or has no offset",
    "time_out_of_range": "the time is more than 30 years back or 10 minutes ahead of its arrival",
    "invalid_position": "the coordinates are out of range, (0,0), one of two, or lie in the city only when swapped",
    "invalid_data": "a field of data is missing or wrong; the detail names it",
    "internal_error": "our own code failed on this record alone; the detail names the error",
}
