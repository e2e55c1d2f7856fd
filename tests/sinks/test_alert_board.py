"""What Alertmanager is told, at every moment, of alerts and actions in the log."""

from __future__ import annotations

import random
from datetime import timedelta

from schemas.alerts import AlertAction, AlertRaised
from sinks.alert_board import HOLD, TOLD_AFTERWARDS, AlertBoard, board_of, labels_of
from tests.alerts import NOON, action, raised

RAISED_AT = NOON + timedelta(minutes=10)
SECOND = timedelta(seconds=1)


def later(alert: AlertRaised, hours: float, name: str = "f" * 32) -> AlertRaised:
    """The same finding in a later window."""
    return alert.model_copy(update={"id": name, "time": alert.time + timedelta(hours=hours)})


def test_labels_are_few_and_stable_and_numbers_are_annotations() -> None:
    (body,) = board_of([raised("150627001001001")], "http://city/alerts/{id}").due(RAISED_AT)
    assert body["labels"] == {
        "alertname": "CityRisk", "severity": "high", "risk_category": "public_safety", "incident_class": "S04",
        "area_level": "grid", "area": "150627001001001", "grid": "150627001001001", "detector": "ears_c2",
    }  # fmt: skip
    assert body["annotations"]["observed"] == "40"
    assert body["annotations"]["upper"] == "6.25"
    assert body["annotations"]["p"] == "1e-09"
    assert "q" not in body["annotations"]
    assert body["annotations"]["window"] == "2026-11-20T11:00:00.000Z/2026-11-20T12:00:00.000Z"
    assert body["startsAt"] == "2026-11-20T12:10:00.000Z"
    assert body["generatorURL"].endswith(body["annotations"]["alert_id"])


def test_what_an_alert_is_not_about_is_no_label() -> None:
    alert = raised("150627001", incident_class=None)
    labels = dict(labels_of(alert))
    assert "grid" not in labels
    assert "incident_class" not in labels
    assert board_of([alert]).due(RAISED_AT)[0]["annotations"]["summary"].startswith("Public safety in town 150627001")


def test_it_fires_until_it_is_resolved_and_is_told_a_while_after() -> None:
    alert = raised()
    board = board_of(
        [alert, action(alert, "ack", "1", 5), action(alert, "resolve", "2", 30), action(alert, "escalate", "3", 40)]
    )
    end = RAISED_AT + timedelta(minutes=30)
    for now in (RAISED_AT, end - SECOND, end + SECOND, end + TOLD_AFTERWARDS - SECOND):
        assert [body["endsAt"] for body in board.due(now)] == ["2026-11-20T12:40:00.000Z"]
    assert board.due(end + TOLD_AFTERWARDS) == []


def test_nobody_resolves_it() -> None:
    board = board_of([raised()])
    assert board.due(RAISED_AT + HOLD - SECOND)[0]["endsAt"] == "2026-11-21T12:10:00.000Z"
    assert board.due(RAISED_AT + HOLD + TOLD_AFTERWARDS) == []


def test_history_that_is_played_back_rings_nobody() -> None:
    assert board_of([raised()]).due(RAISED_AT + timedelta(days=40)) == []


def test_the_log_played_again_changes_nothing() -> None:
    """Records of one alert stand in order; those of several alerts come in any order, and as often as they like."""
    one, two = raised("150627001001"), raised("150627002")
    first: list[AlertRaised | AlertAction] = [one, action(one, "resolve", "a", 3)]
    second: list[AlertRaised | AlertAction] = [
        two,
        action(two, "ack", "b", 4),
        action(two, "false_alarm", "c", 9),
        action(two, "resolve", "d", 12),
    ]
    wanted = board_of([*first, *second]).due(RAISED_AT)
    chance = random.Random(1)
    for _ in range(20):
        left = [list(first), list(second)]
        mixed: list[AlertRaised | AlertAction] = []
        while any(left):
            mixed.append(chance.choice([part for part in left if part]).pop(0))
        assert board_of(mixed + mixed[: chance.randrange(len(mixed))]).due(RAISED_AT) == wanted


def test_alerts_of_one_fingerprint_are_one_alert_there() -> None:
    """The earlier one resolved does not end the later one; the newest that fires is shown."""
    one = raised()
    two = later(one, 2)
    board = board_of([one, two, action(one, "resolve", "x", 60)])
    (body,) = board.due(RAISED_AT + timedelta(hours=3))
    assert body["annotations"]["alert_id"] == two.id
    assert body["startsAt"] == "2026-11-20T14:10:00.000Z"
    assert body["endsAt"] == "2026-11-21T14:10:00.000Z"


def test_an_answer_older_than_its_alert_ends_it_at_once() -> None:
    """Alertmanager refuses what ends before it starts."""
    alert = raised()
    (body,) = board_of([alert, action(alert, "resolve", "x", -600)]).due(RAISED_AT)
    assert body["startsAt"] == body["endsAt"]


def test_actions_about_what_is_not_known_are_of_the_past() -> None:
    board = AlertBoard()
    board.add(action(raised(), "resolve", "x"))
    assert board.due(RAISED_AT) == []


def test_every_level_has_a_severity() -> None:
    found = [board_of([raised(level=level)]).due(RAISED_AT)[0]["labels"]["severity"] for level in (1, 2, 3, 4)]
    assert found == ["critical", "high", "warning", "info"]
