"""The door: who asks, strict headers on every answer, and a line in the access log for each question.

Plain ASGI, outermost: nothing is answered that did not pass here, errors and streams included.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas import metrics
from view.page.routes import is_page
from view.parts import Parts
from view.problems import answer, defect
from view.who import ANONYMOUS, Who

log = logging.getLogger("view.access")
OPEN_TO_ALL: Final = frozenset({"/healthz", "/readyz", "/openapi.json"})
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LONGEST_LOGGED: Final = 500


class Door:
    """Lets in whoever has a token, and on loopback everybody; the latter see the city, masked."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, begun = time.perf_counter(), False
        state = scope.setdefault("state", {})
        headers = Headers(scope=scope)
        who = self._who(headers, scope["path"])
        state["who"] = who or ANONYMOUS

        async def said(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                for name, value in HEADERS.items():
                    MutableHeaders(scope=message).setdefault(name, value)
                self._note(scope, who, message["status"], started)
            await send(message)

        if not self._known_host(headers):
            told = "this name is not ours; on loopback ask for 127.0.0.1 or localhost"
            await answer(Request(scope), 400, "unknown-host", told)(scope, receive, said)
        elif who is None:
            told = "wanted Authorization: Bearer <token>; `citybrain view token new` makes one"
            await answer(Request(scope), 401, "unknown-token", told, {"WWW-Authenticate": "Bearer"})(scope, receive, said)
        else:
            try:
                await self._app(scope, receive, said)
            except Exception as error:  # a defect of ours; here, so that its answer has our headers and a line in the log
                if begun:
                    raise
                await defect(Request(scope), error)(scope, receive, said)

    def _who(self, headers: Headers, path: str) -> Who | None:
        given = headers.get("authorization")
        if given is None:
            return ANONYMOUS if self._parts.anonymous or path in OPEN_TO_ALL or is_page(path) else None
        scheme, _, secret = given.partition(" ")
        return self._parts.tokens.who(secret.strip()) if scheme.lower() == "bearer" else None

    def _known_host(self, headers: Headers) -> bool:
        """A page elsewhere whose name was made to mean 127.0.0.1 must not read what needs no token (DNS rebinding)."""
        if self._parts.hosts is None:
            return True
        return headers.get("host", "").rsplit(":", 1)[0].strip("[]") in self._parts.hosts

    @staticmethod
    def _note(scope: Scope, who: Who | None, status: int, started: float) -> None:
        elapsed = time.perf_counter() - started
        metrics.VIEW_ANSWERS.labels(status).inc()
        metrics.VIEW_SECONDS.observe(elapsed)
        entry: dict[str, Any] = {
            "who": who.name if who else None,
            "scope": str(who.scope) if who else None,
            "duty": who.duty if who else None,
            "method": scope["method"],
            "path": scope["path"][:LONGEST_LOGGED],
            "query": scope["query_string"][:LONGEST_LOGGED].decode("latin-1"),
            "rows": scope["state"].get("rows"),
            "status": status,
            "ms": round(1000 * elapsed, 1),
        }
        log.info(orjson.dumps(entry).decode())
