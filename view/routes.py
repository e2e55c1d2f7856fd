"""Routes that read: words, areas, state, series, movers, cases, response, events."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from view import answers, asked, bodies, cases, desk_bodies, figures
from view.answers import asker, duty_only, in_scope, reply, tag, unchanged
from view.lookups import SeriesQuestion, series_body, state_body, state_question
from view.open_cases import open_cases
from view.problems import documented, not_here
from view.scenarios import scenarios
from view.series import movers
from view.served import Api
from view.state import Asked, window_for
from view.today import today
from view.windows import Window

router = APIRouter(prefix="/api/v1")
READ = documented(400, 401, 403, 404, 422, 500, 503)


@router.get("/meta", responses={200: {"model": bodies.MetaBody}, 304: {"description": "unchanged"}, **READ})
def meta(request: Request, api: Api) -> Response:
    """Levels, categories, classes, scenarios, tiers, thresholds, sources, areas: the words of all other answers."""
    (body, etag), cache = api.words, "private, max-age=300"
    if same := unchanged(request, etag, cache):
        return same
    pulse = api.parts.pulse()
    return reply(request, body | {"as_of": pulse.as_of, "seq": pulse.seq}, cache, etag)


@router.get(
    "/grids.{digest}.geojson",
    responses={
        200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}},
        304: {"description": "unchanged"},
        **READ,
    },
)
def grids(request: Request, api: Api, digest: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> Response:
    """Outlines of all grids. The address holds their hash (`grids` of other answers), so it may be kept for ever."""
    if digest != api.parts.city.hash:
        raise not_here("set of grids")
    cache = "public, max-age=31536000, immutable"
    if same := unchanged(request, f'"{digest}"', cache):
        return same
    body, headers = api.outlines.for_reader(request.headers.get("accept-encoding", ""))
    return Response(body, 200, headers | {"ETag": f'"{digest}"', "Cache-Control": cache}, "application/geo+json")


@router.get("/state", responses={200: {"model": bodies.StateBody}, 304: {"description": "unchanged"}, **READ})
async def get_state(
    request: Request,
    api: Api,
    window: Annotated[Window | None, Query(description="24h for duty tokens; without one only day, the last whole day")] = None,
    at: Annotated[asked.Moment | None, Query(description="end of the window, or a time of the day")] = None,
    level: Annotated[asked.AreaLevel, Query()] = asked.AreaLevel.GRID,
) -> Response:
    """Every area by category in one window: how many incidents, what is hidden, how unusual."""
    who = asker(request)
    if api.parts.fresh() is None:
        await run_in_threadpool(api.parts.pulse)
    question = state_question(api, who, window, at, level)  # from memory now, so that a 304 waits for no thread
    if same := unchanged(request, tag(question.key), answers.REVALIDATE):
        return same
    body = await run_in_threadpool(state_body, api, who, question)
    return reply(request, body, answers.REVALIDATE, tag(question.key), rows=len(body["areas"]))


@router.get("/series", responses={200: {"model": bodies.SeriesBody}, **READ})
def get_series(
    request: Request,
    api: Api,
    area: asked.Area | None = None,
    cat: Annotated[asked.Category | None, Query(description="category; a class with a duty token; all without")] = None,
    step: Annotated[asked.Step, Query()] = asked.Step.DAY,
    start: Annotated[asked.Moment | None, Query(alias="from")] = None,
    end: Annotated[asked.Moment | None, Query(alias="to")] = None,
) -> Response:
    """Counts step by step beside what was expected and the bound above which a step stands out. The answer names the model."""
    body = series_body(api, asker(request), SeriesQuestion(area, cat, step, start, end))
    closed = end is not None and body["watermark"] is not None and end < body["watermark"]
    return reply(request, body, answers.CLOSED if closed else answers.SHORT, rows=len(body["t"]))


@router.get("/today", responses={200: {"model": desk_bodies.TodayBody}, **READ})
def get_today(request: Request, api: Api, area: asked.Area | None = None, cat: asked.Category | None = None) -> Response:
    """Incidents of the day that goes on, late ones included, and how many came late. Duty tokens only."""
    who = asker(request)
    duty_only(who, "a day that goes on")
    pulse = api.parts.pulse()
    body = today(api.parts, pulse, who, in_scope(who.scope, area, api.parts.city.names), cat.value if cat else None)
    return reply(request, body, answers.REVALIDATE)


@router.get("/movers", responses={200: {"model": bodies.MoversBody}, **READ})
def get_movers(
    request: Request,
    api: Api,
    window: Annotated[Window | None, Query()] = None,
    base: Annotated[Literal["week"], Query(description="week: the same window seven days before")] = "week",  # noqa: ARG001
    level: Annotated[asked.AreaLevel, Query()] = asked.AreaLevel.GRID,
    limit: asked.Limit = 20,
) -> Response:
    """Where the change against the same window a week before is largest, up or down."""
    who, pulse = asker(request), api.parts.pulse()
    question = Asked(window_for(who, window), level)
    body = movers(api.parts, api.days, pulse, who, question, limit)
    return reply(request, body, answers.SHORT, rows=len(body["items"]))


@router.get("/cases", responses={200: {"model": desk_bodies.OpenCasesBody}, **READ})
def get_open_cases(
    request: Request, api: Api, area: asked.Area | None = None, cat: asked.Category | None = None, limit: asked.Limit = 50
) -> Response:
    """Cases that are not ended, the most urgent first. Duty tokens only."""
    who = asker(request)
    duty_only(who, "single cases")
    pulse = api.parts.pulse()
    place = in_scope(who.scope, area, api.parts.city.names)
    body = open_cases(api.parts, pulse, who, place, cat.value if cat else None, limit)
    return reply(request, body, answers.REVALIDATE, rows=len(body["items"]))


@router.get("/scenarios", responses={200: {"model": desk_bodies.ScenariosBody}, **READ})
def get_scenarios(request: Request, api: Api, area: asked.Area | None = None) -> Response:
    """Figures of each scenario of the catalogue. Duty tokens only: a scenario is a set of classes."""
    who = asker(request)
    duty_only(who, "a scenario's count")
    pulse = api.parts.pulse()
    body = scenarios(api.parts, pulse, who, in_scope(who.scope, area, api.parts.city.names))
    return reply(request, body, answers.SHORT, rows=len(body["items"]))


@router.get(
    "/cases/{case}/timeline", responses={200: {"model": bodies.TimelineBody}, 304: {"description": "unchanged"}, **READ}
)
def timeline(request: Request, api: Api, case: asked.Identifier) -> Response:
    """One case step by step: when, recorded when, due when, by what role. Duty tokens only."""
    who = asker(request)
    duty_only(who, "a single case")
    pulse = api.parts.pulse()
    body = cases.timeline(api.parts, pulse, who, case)
    etag = tag(body["steps"], body["incident_class"], body["tier"])
    if same := unchanged(request, etag, answers.REVALIDATE):
        return same
    return reply(request, body, answers.REVALIDATE, etag, rows=len(body["steps"]))


@router.get("/response", responses={200: {"model": bodies.ResponseBody}, **READ})
def response(
    request: Request,
    api: Api,
    by: Annotated[Literal["tier", "dept", "street", "banner", "community", "grid"], Query(description="street: town")] = "tier",
    month: asked.Month | None = None,
) -> Response:
    """How many cases of a month were answered in time, by tier, department or area, with the interval of the share."""
    who, pulse = asker(request), api.parts.pulse()
    wanted = asked.first_day(month) if month else None
    body = cases.response(api.parts, pulse, who, by, wanted)
    return reply(request, body, answers.MINUTE, rows=len(body["items"]))


@router.get("/response/mediation", responses={200: {"model": bodies.MediationBody}, **READ})
def get_mediation(request: Request, api: Api, month: asked.Month | None = None) -> Response:
    """Disputes of a month by the highest level that tried to settle them, and the share that was settled. Duty tokens only."""
    who, pulse = asker(request), api.parts.pulse()
    duty_only(who, "mediation", "figures of steps are at /api/v1/response")
    body = figures.mediation(api.parts, pulse, who, _month(api, month))
    return reply(request, body, answers.MINUTE, rows=len(body["items"]))


@router.get("/response/change", responses={200: {"model": bodies.ChangeBody}, **READ})
def get_change(request: Request, api: Api, month: asked.Month | None = None) -> Response:
    """Incidents of a month by category against the month and the year before, with exact tests. Duty tokens only."""
    who, pulse = asker(request), api.parts.pulse()
    duty_only(who, "change by category", "days are at /api/v1/series")
    body = figures.change(api.parts, pulse, who, _month(api, month))
    return reply(request, body, answers.MINUTE, rows=len(body["items"]))


def _month(api: Api, month: str | None) -> date:
    """The first day of the month that is asked for, else of this one."""
    return asked.first_day(month) if month else api.parts.now().astimezone(api.parts.zone).date().replace(day=1)


@router.get("/events", responses={200: {"model": bodies.EventsBody}, **READ})
def events(
    request: Request,
    api: Api,
    area: asked.Area | None = None,
    cat: asked.Category | None = None,
    since: asked.Moment | None = None,
    cursor: asked.Cursor | None = None,
    limit: asked.Limit = 50,
) -> Response:
    """Single events, newest first. Duty tokens only."""
    who = asker(request)
    duty_only(who, "single events")
    pulse = api.parts.pulse()
    place = in_scope(who.scope, area, api.parts.city.names)
    body = cases.events(api.parts, pulse, who, place, cat.value if cat else None, since, cursor, limit)
    return reply(request, body, answers.REVALIDATE, rows=len(body["items"]))
