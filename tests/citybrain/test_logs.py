"""Logs: text for people, one JSON object a line for machines, on standard error."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog

from citybrain.logs import set_up_logs
from citybrain.settings import Log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def told(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert not captured.out, "standard output is for answers"
    return captured.err


class TestJson:
    def test_each_message_is_one_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="json"))
        logging.getLogger("sinks.loader").warning("storing %s[%d]\nfrom offset 7", "中心镇", 0)

        (line,) = told(capsys).splitlines()
        message = json.loads(line)
        assert message["event"] == "storing 中心镇[0]\nfrom offset 7"
        assert (message["level"], message["logger"]) == ("warning", "sinks.loader")
        assert datetime.fromisoformat(message["timestamp"]).utcoffset() is not None
        assert "中心镇" in line, "readable as it is"

    def test_an_error_brings_its_trace_in_the_same_object(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="json"))
        try:
            raise ValueError("no such grid")
        except ValueError:
            logging.getLogger("streams").exception("a batch failed")

        (line,) = told(capsys).splitlines()
        assert "ValueError: no such grid" in json.loads(line)["exception"]

    def test_a_client_library_is_told_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="json"))
        for node in range(50):
            logging.getLogger("aiokafka").error("Unable to connect to node %d", node)
            logging.getLogger("sinks.loader").error("try %d", node)

        told_by = [json.loads(line)["logger"] for line in told(capsys).splitlines()]
        assert (told_by.count("aiokafka"), told_by.count("sinks.loader")) == (1, 50)

    def test_auto_is_json_where_nobody_looks(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="auto"))
        logging.getLogger("citybrain").error("x")

        assert json.loads(told(capsys))["event"] == "x"


class TestText:
    def test_a_person_reads_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="text"))
        logging.getLogger("sinks.loader").warning("storing from offset %d", 7)

        line = told(capsys)
        assert "storing from offset 7" in line
        assert "warning" in line
        assert not line.lstrip().startswith("{")
        assert "\x1b[" not in line, "no colours where there is no terminal"


class TestLevels:
    @pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
    def test_only_what_is_asked_for_is_written(self, capsys: pytest.CaptureFixture[str], level: str, count: int) -> None:
        set_up_logs(Log.model_validate({"format": "json", "level": level}))
        for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            logging.getLogger("citybrain.test").log(number, "x")

        assert len(told(capsys).splitlines()) == count

    def test_libraries_are_heard_from_warnings_on(self, capsys: pytest.CaptureFixture[str]) -> None:
        set_up_logs(Log(format="json", level="debug"))
        logging.getLogger("aiokafka.consumer").info("joined")
        logging.getLogger("aiokafka.consumer").warning("left")

        assert [json.loads(line)["event"] for line in told(capsys).splitlines()] == ["left"]

    def test_setting_up_twice_writes_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        for _ in range(2):
            set_up_logs(Log(format="json"))
        logging.getLogger("citybrain").error("x")

        assert len(told(capsys).splitlines()) == 1


def test_structlog_itself_is_left_as_it_was() -> None:
    """We log by the standard library; structlog only renders."""
    before = structlog.is_configured()
    set_up_logs(Log(format="json"))

    assert structlog.is_configured() is before
