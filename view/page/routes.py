"""Routes of the page: shells that are never kept, files that are kept for ever, and what a browser may do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from view.page.files import Files
from view.problems import not_here

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No inline script or style, nothing from elsewhere, and no text that becomes HTML: the browser itself refuses it."""
SHELLS: Final = {"desk": "desk", "m": "phone", "scenarios": "scenarios", "handover": "handover"}
"""Path -> page. The wall is a mode of the desk, so that a link from one opens on the other."""
KEPT: Final = "public, max-age=31536000, immutable"
PAGE_PATHS: Final = frozenset({"/", *(f"/{path}" for path in SHELLS)})
PREFIX: Final = "/page/"


def is_page(path: str) -> bool:
    """Whether a path is a part of the page itself, which holds no data and asks for no token."""
    return path in PAGE_PATHS or path.startswith(PREFIX)


def page_routes(files: Files, grids: Callable[[], str]) -> APIRouter:
    """The routes over these files; `grids` names the set of grids, so that a page asks for it at once."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def first(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/desk{query}", 307)

    for path, name in SHELLS.items():
        _add_shell(router, files, path, name, grids)

    @router.get(f"{PREFIX}{{digest}}/{{name:path}}")
    async def file(request: Request, digest: str, name: str) -> Response:
        found = files.known.get(name) if digest == files.hash else None
        if found is None:
            raise not_here("file")
        body, headers = found.content.for_reader(request.headers.get("accept-encoding", ""))
        return Response(body, 200, headers | {"Cache-Control": KEPT}, found.media_type)

    return router


def _add_shell(router: APIRouter, files: Files, path: str, name: str, grids: Callable[[], str]) -> None:
    @router.get(f"/{path}")
    async def shell(request: Request) -> Response:
        wanted = "wall" if path == "desk" and request.query_params.get("mode") == "wall" else name
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": POLICY,
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
        return Response(files.shell(wanted, grids()), 200, headers, "text/html; charset=utf-8")
