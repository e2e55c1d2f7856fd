"""Turning a body into an answer: JSON, ETag and 304, cache headers."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import orjson
from fastapi import Request
from starlette.responses import Response

from view.parts import Pulse
from view.problems import needs_duty, not_here
from view.who import ANONYMOUS, Scope, Who

REVALIDATE: Final = "private, no-cache"
SHORT: Final = "private, max-age=30"
MINUTE: Final = "private, max-age=60"
CLOSED: Final = "private, max-age=3600"


def asker(request: Request) -> Who:
    """Who asks, as the door found out."""
    who: Who = getattr(request.state, "who", ANONYMOUS)
    return who


def stamp(pulse: Pulse) -> dict[str, Any]:
    """What every answer carries: how far the store was, and when it said so."""
    return {"seq": pulse.seq, "as_of": pulse.as_of, "watermark": pulse.watermark}


def tag(*parts: object) -> str:
    """A weak ETag of what an answer depends on."""
    return f'W/"{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}"'


def unchanged(request: Request, etag: str, cache: str) -> Response | None:
    """304 when the client has it already; before anything is computed."""
    known = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache, "Vary": "Authorization"})
    return None


def reply(
    request: Request, body: dict[str, Any] | bytes, cache: str, etag: str | None = None, *, status: int = 200, rows: int = 0
) -> Response:
    """A JSON answer. `rows` goes into the access log."""
    request.state.rows = rows
    headers = {"Cache-Control": cache, "Vary": "Authorization"} | ({"ETag": etag} if etag else {})
    content = body if isinstance(body, bytes) else dumps(body)
    return Response(content, status, headers, "application/json")


def dumps(body: Any) -> bytes:
    """JSON with times in UTC and a Z."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_SERIALIZE_NUMPY)


def cursor_of(*parts: str) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def from_cursor(cursor: str, length: int) -> list[str] | None:
    """What `cursor_of` was given; None: it is no cursor of ours."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return None
    good = isinstance(parts, list) and len(parts) == length and all(isinstance(part, str) for part in parts)
    return parts if good else None


def duty_only(who: Who, what: str, instead: str = "counts of days are at /api/v1/state") -> None:
    """Problem 403 unless the token is a duty token."""
    if not who.duty:
        raise needs_duty(what, instead)


def in_scope(scope: Scope, area: str | None, known: dict[str, str]) -> str:
    """The area that was asked for, else the whole scope. Problem 404: unknown or outside, told alike."""
    if area is None:
        return scope.value if scope.kind == "community" else ""
    if area not in known or not scope.covers(area):
        raise not_here("area")
    return area
