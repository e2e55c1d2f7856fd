"""Routes of alerts, of actions on them, and the live stream."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from view import alert_bodies, alerts, answers, asked
from view.actions import ActionBody
from view.answers import asker, duty_only, reply, unchanged
from view.problems import documented
from view.served import Api
from view.stream import LiveResponse

router = APIRouter(prefix="/api/v1")
READ = documented(400, 401, 403, 404, 422, 500, 503)
STATES = Literal["active", "open", "acknowledged", "dispatched", "escalated", "resolved", "false_alarm"]


@router.get("/alerts", responses={200: {"model": alert_bodies.AlertsBody}, **READ})
def get_alerts(
    request: Request,
    api: Api,
    state: Annotated[STATES | None, Query(description="active: all that are not ended")] = None,
    level: Annotated[int | None, Query(ge=1, le=4, description="1 red to 4 blue")] = None,
    cat: asked.Category | None = None,
    area: asked.Area | None = None,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next` of the page before")] = None,
    limit: asked.Limit = 50,
) -> Response:
    """Alerts, most severe first, then newest."""
    who = asker(request)
    filters = alerts.Filters(state, level, cat.value if cat else None, area)
    body = alerts.listed(api.parts, api.parts.pulse(), who, filters, cursor, limit)
    return reply(request, body, answers.REVALIDATE, rows=len(body["items"]))


@router.get("/alerts/{alert}", responses={200: {"model": alert_bodies.AlertDetail}, 304: {"description": "unchanged"}, **READ})
def get_alert(request: Request, api: Api, alert: asked.AlertPath) -> Response:
    """One alert with its evidence and what was done. The ETag is its version, which an action has to name."""
    body = alerts.detail(api.parts, api.parts.pulse(), asker(request), alert)
    etag = f'"{body["version"]}"'
    if same := unchanged(request, etag, answers.REVALIDATE):
        return same
    return reply(request, body, answers.REVALIDATE, etag, rows=1)


@router.post(
    "/alerts/{alert}/actions",
    status_code=202,
    responses={202: {"model": alert_bodies.ActionAccepted}, **READ, **documented(409, 412, 428)},
)
def act(
    request: Request,
    api: Api,
    alert: asked.AlertPath,
    body: ActionBody,
    idempotency_key: Annotated[
        str, Header(pattern=r"^[A-Za-z0-9_-]{8,128}$", description="the same key again changes nothing")
    ],
    if_match: Annotated[str | None, Header(max_length=64, description="version of the alert as it was seen")] = None,
) -> Response:
    """Acknowledge, dispatch, escalate, resolve, or call it a false alarm. Duty tokens only.

    Answered when the broker has confirmed the event; the alert shows it when the loader has stored it.
    """
    who = asker(request)
    duty_only(who, "an action", "reading needs none")
    done = api.desk.act(who, alert, body, if_match, idempotency_key)
    return reply(request, done, "no-store", f'"{done["version"]}"', status=202, rows=1)


@router.get("/live", responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **READ})
async def live(
    request: Request,
    api: Api,
    last_event_id: Annotated[str | None, Header(max_length=64, description="id of the last message that was read")] = None,
) -> Response:
    """Server-sent events: hello, delta, alert, case, beat, reset. What a client missed is sent again by Last-Event-ID.

    Load /state after `hello`; leave out deltas whose seq is not above that of the state.
    """
    return LiveResponse(api.hub, asker(request), last_event_id)
