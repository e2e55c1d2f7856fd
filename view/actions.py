"""What duty officers do about alerts: written to the log as events, answered when the broker has confirmed.

One version of an alert takes one action. The version is counted from the store and, for what the store has not yet, from
what this process has sent: of two at once one gets 412. Two processes behind one city are told apart by the store, which
keeps both actions; each carries the version its actor saw.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.alerts import ActionData, ActionKind, AlertAction
from view.alerts import actions_of, missing_version, one
from view.answers import stamp
from view.parts import Parts
from view.problems import Problem
from view.who import Who

REMEMBERED: Final = 10_000


class ActionBody(BaseModel):
    """One action. `note` is dropped by the store unless the deployment keeps text."""

    model_config = ConfigDict(extra="forbid")

    kind: ActionKind
    note: Annotated[str, StringConstraints(max_length=2000)] | None = Field(None)


class Sent(NamedTuple):
    """An action that the broker has confirmed."""

    action_id: str
    kind: str
    role: str
    at: datetime
    version: int


class Desk:
    """Takes actions, one at a time for each alert."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sent: OrderedDict[str, list[Sent]] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def act(self, who: Who, alert_id: str, body: ActionBody, if_match: str | None, key: str) -> dict[str, Any]:
        """The answer's body. Problems: 404, 409 ended, 412 another version, 422 key of another action, 428 no version."""
        with self._guard:
            lock = self._locks.setdefault(alert_id, threading.Lock())
        with lock:
            return self._act(who, alert_id, body, if_match, key)

    def _act(self, who: Who, alert_id: str, body: ActionBody, if_match: str | None, key: str) -> dict[str, Any]:
        alert = one(self._parts, who, alert_id)
        action_id = hashlib.sha256(f"{who.name}\n{alert_id}\n{key}".encode()).hexdigest()[:32]
        done = self._done(alert_id)
        if again := next((sent for sent in done if sent.action_id == action_id), None):
            if again.kind != body.kind:
                raise Problem(
                    422, "key-used", f"this Idempotency-Key was used for {again.kind!r}; take a new key for a new action"
                )
            return self._answer(alert_id, again)
        version = 1 + len(done)
        self._check(alert, done, version, if_match)
        sent = Sent(action_id, body.kind, who.name, self._parts.now(), version)
        self._parts.publish(_event(alert_id, sent, body.note))
        self._remember(alert_id, sent)
        return self._answer(alert_id, sent)

    def _done(self, alert_id: str) -> list[Sent]:
        """Everything done about the alert: what is stored, then what is on its way."""
        stored = [
            Sent(row["action_id"], row["kind"], row["role"], row["at"], int(row["version"]))
            for row in actions_of(self._parts, alert_id)
        ]
        known = {sent.action_id for sent in stored}
        return stored + [sent for sent in self._sent.get(alert_id, []) if sent.action_id not in known]

    def _check(self, alert: dict[str, Any], done: list[Sent], version: int, if_match: str | None) -> None:
        if if_match is None:
            raise missing_version(version)
        if ended := next((sent for sent in done if sent.kind in {"resolve", "false_alarm"}), None):
            raise Problem(
                409, "ended", f"alert {alert['id']} was ended by {ended.role} ({ended.kind}); nothing more is done about it"
            )
        if if_match.removeprefix("W/").strip('"') != str(version):
            last = f"; {done[-1].role} did {done[-1].kind} meanwhile" if done else ""
            raise Problem(
                412, "changed", f'the alert is at version "{version}", you saw {if_match[:40]}{last}', {"ETag": f'"{version}"'}
            )

    def _remember(self, alert_id: str, sent: Sent) -> None:
        with self._guard:
            self._sent.setdefault(alert_id, []).append(sent)
            while len(self._sent) > REMEMBERED:
                forgotten, _ = self._sent.popitem(last=False)
                self._locks.pop(forgotten, None)

    def _answer(self, alert_id: str, sent: Sent) -> dict[str, Any]:
        return stamp(self._parts.pulse()) | {
            "action_id": sent.action_id, "alert_id": alert_id, "kind": sent.kind, "role": sent.role, "at": sent.at,
            "version": sent.version + 1,
        }  # fmt: skip


def _event(alert_id: str, sent: Sent, note: str | None) -> AlertAction:
    data = ActionData(alert_id=alert_id, kind=sent.kind, role=sent.role, version=sent.version, note=note)  # type: ignore[arg-type]
    time: Any = sent.at.isoformat(timespec="milliseconds")
    return AlertAction(specversion="1.0", id=sent.action_id, source="/view", time=time, data=data)
