"""Routes of exports, and of health."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from view import alerts, answers, asked, bodies, export
from view.alert_routes import STATES
from view.answers import asker
from view.lookups import SeriesQuestion, series_body, state_body, state_question
from view.problems import Problem, documented
from view.served import Api
from view.windows import Window

router = APIRouter()
READ = documented(400, 401, 403, 404, 422, 500, 503)
CSV: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}
GEOJSON: dict[str, Any] = {"application/geo+json": {"schema": {"type": "object"}}}
Form = Literal["csv", "geojson"]
MOST_ALERTS = 500
STUCK_SECONDS = 15.0
NEEDED = "SELECT (SELECT count() FROM v_alerts LIMIT 1), (SELECT count() FROM counts_day LIMIT 1), (SELECT count() FROM areas)"


@router.get("/api/v1/export/grids.{form}", responses={200: {"content": CSV | GEOJSON}, **READ})
def grids(
    request: Request,
    api: Api,
    form: Form,
    window: Annotated[Window | None, Query()] = None,
    at: asked.Moment | None = None,
    level: Annotated[asked.AreaLevel, Query()] = asked.AreaLevel.GRID,
) -> Response:
    """/state as a file."""
    who = asker(request)
    body = state_body(api, who, state_question(api, who, window, at, level))
    content = export.grids_csv(api.parts.city, body) if form == "csv" else export.grids_geojson(api.parts.city, body)
    return _file(request, content, f"grids.{form}", len(body["areas"]))


@router.get("/api/v1/export/alerts.{form}", responses={200: {"content": CSV | GEOJSON}, **READ})
def alert_list(
    request: Request,
    api: Api,
    form: Form,
    state: Annotated[STATES | None, Query()] = None,
    level: Annotated[int | None, Query(ge=1, le=4)] = None,
    cat: asked.Category | None = None,
    area: asked.Area | None = None,
) -> Response:
    """/alerts as a file: at most the first 500."""
    filters = alerts.Filters(state, level, cat.value if cat else None, area)
    body = alerts.listed(api.parts, api.parts.pulse(), asker(request), filters, None, MOST_ALERTS)
    content = export.alerts_csv(body) if form == "csv" else export.alerts_geojson(api.parts.city, body)
    return _file(request, content, f"alerts.{form}", len(body["items"]))


@router.get("/api/v1/export/series.csv", responses={200: {"content": CSV}, **READ})
def series(
    request: Request,
    api: Api,
    area: asked.Area | None = None,
    cat: asked.Category | None = None,
    step: Annotated[asked.Step, Query()] = asked.Step.DAY,
    start: Annotated[asked.Moment | None, Query(alias="from")] = None,
    end: Annotated[asked.Moment | None, Query(alias="to")] = None,
) -> Response:
    """/series as a file."""
    body = series_body(api, asker(request), SeriesQuestion(area, cat, step, start, end))
    return _file(request, export.series_csv(body), "series.csv", len(body["t"]))


def _file(request: Request, content: bytes, name: str, rows: int) -> Response:
    request.state.rows = rows
    headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, 200, headers, "text/csv; charset=utf-8" if name.endswith(".csv") else "application/geo+json")


@router.get("/healthz", responses={200: {"model": bodies.Health}, **documented(503)})
async def healthz(request: Request, api: Api) -> Response:
    """Progress, not life: 503 when the store has not answered for 15 seconds, though this process lives."""
    pulse = api.parts.last_pulse
    age = (api.parts.now() - pulse.as_of).total_seconds() if pulse else None
    if pulse is None or age is None or age > STUCK_SECONDS:
        raise Problem(503, "stuck", f"the store has not answered for {age or 0:.0f} s; wanted an answer every second")
    clients = sum(len(channel.clients) for channel in api.hub.channels())
    body = {"as_of": pulse.as_of, "seq": pulse.seq, "clients": clients, "dropped": api.hub.dropped}
    return answers.reply(request, body, "no-store")


@router.get("/readyz", responses={200: {"model": bodies.Ready}, **documented(503)})
def readyz(request: Request, api: Api) -> Response:
    """Whether the store answers and has the tables and views that the answers are made of."""
    api.parts.ask(NEEDED, {})
    return answers.reply(request, {"ready": True, "as_of": api.parts.now()}, "no-store")
