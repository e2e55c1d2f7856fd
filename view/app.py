"""The application: the door, routes, problems, and the producer of the live stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.gzip import GZipMiddleware

from view import alert_routes, export_routes, problems, routes
from view.door import Door
from view.live import TICK_SECONDS
from view.page.files import Files
from view.page.routes import page_routes
from view.parts import Parts
from view.problems import ProblemBody
from view.served import Served

ABOUT = (
    "Incidents of a city by area, category and time; alerts and what is done about them. Every answer says how far the store was "
    "(`seq`, `as_of`, `watermark`). Without a duty token counts of 1 to 4 are hidden, with others beside them so that sums do not "
    "give them away, and only whole days are told. Errors are RFC 9457 problems."
)


def build_app(parts: Parts, tick_seconds: float = TICK_SECONDS) -> FastAPI:
    """An application over these parts; nothing is asked before it starts."""
    served = Served(parts, tick_seconds)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        producer = asyncio.create_task(served.hub.run())
        try:
            yield
        finally:
            producer.cancel()
            with suppress(asyncio.CancelledError):
                await producer

    app = FastAPI(
        title="City brain", version=parts.version, lifespan=running, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.served = served
    problems.install(app)
    for router in (routes.router, alert_routes.router, export_routes.router, page_routes(Files(), lambda: parts.city.hash)):
        app.include_router(router)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(Door, parts=parts)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 with the form of problems and the way to say who asks."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {})["ProblemBody"] = ProblemBody.model_json_schema()
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{}, {"token": []}]
        app.openapi_schema = document
    return app.openapi_schema
