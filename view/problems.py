"""Every error answer: application/problem+json (RFC 9457). Says what was got, what was wanted, and never what is inside."""

from __future__ import annotations

import logging
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from schemas.errors import CitybrainError

log = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
TITLES: Final = {
    400: "Bad request", 401: "Who are you?", 403: "Not for this token", 404: "Not here", 405: "Not by this method",
    409: "Conflict", 412: "Changed meanwhile", 413: "Too large", 415: "Not in this form", 422: "Not understood",
    428: "Say which version", 500: "A defect of ours", 503: "Not now",
}  # fmt: skip


class ProblemBody(BaseModel):
    """RFC 9457 problem details. `type` names the kind of problem, `detail` this one."""

    type: str = Field(description="urn:citybrain:problem:<kind>, or about:blank where the status says all")
    title: str
    status: int
    detail: str
    instance: str = Field(description="path that was asked for")


class Problem(Exception):
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, kind, detail)
        self.status, self.kind, self.detail, self.headers = status, kind, detail, headers


def not_here(what: str) -> Problem:
    """404 with one text for what does not exist and for what lies outside the asker's scope: neither tells of the other."""
    return Problem(404, "not-found", f"no such {what} in the scope of this token")


def needs_duty(what: str, instead: str) -> Problem:
    """403: for duty tokens only."""
    return Problem(403, "needs-duty-token", f"{what} needs a duty token; {instead}")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Error answers of a route, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def answer(request: Request, status: int, kind: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """The body and its headers; never kept by a cache."""
    body = ProblemBody(
        type=f"urn:citybrain:problem:{kind}" if kind else "about:blank",
        title=TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        instance=request.url.path[:200],
    )
    said = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(body.model_dump()), status, said, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Turn every error of an app into a problem."""

    @app.exception_handler(Problem)
    def _ours(request: Request, error: Problem) -> Response:
        return answer(request, error.status, error.kind, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        return answer(request, error.status_code, "", f"{request.method} {request.url.path[:200]}: {error.detail}", headers)

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()[:5])
        return answer(request, 422, "not-understood", told[:1000])

    @app.exception_handler(CitybrainError)
    def _store(request: Request, error: CitybrainError) -> Response:
        log.error("%s: %s", request.url.path, error)
        detail = "the store or the log does not answer; the last good answer stays valid with its as_of. Try again"
        return answer(request, 503, "unavailable", detail, {"Retry-After": "2"})


def defect(request: Request, error: Exception) -> Response:
    """500: whatever it was, it is told to the log and not to the asker."""
    log.error("%s failed", request.url.path, exc_info=error)
    return answer(request, 500, "defect", "this is a defect of ours and has been logged; other requests are served")
