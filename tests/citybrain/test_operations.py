"""What a duty engineer does to a running deployment: look, read rejects, send them again, fill a hole."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from citybrain.audit.raw_log import log_ends
from citybrain.cli import cli
from ingest.outgoing import CONTENT_TYPE, Outgoing, encode
from ingest.producer import EventProducer
from schemas.kafka_options import common
from tests.pipeline import Pipeline


@pytest.fixture(autouse=True)
def _logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.logs.set_up_logs", lambda _: None)


def run(pipeline: Pipeline, *arguments: str, code: int) -> Result:
    """A command on the deployment's folder, in this process: a new one would spend two seconds on imports."""
    result = CliRunner().invoke(cli, [*arguments, "--data-dir", str(pipeline.folder)])
    assert result.exit_code == code, result.output + str(result.exception)
    return result


def citybrain(pipeline: Pipeline, *arguments: str) -> str:
    """Standard output of a command that succeeds."""
    return run(pipeline, *arguments, code=0).stdout


def answer(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    """The JSON answer of a command."""
    found: dict[str, Any] = json.loads(citybrain(pipeline, *arguments, "--json"))
    return found


def report(number: int, source: str, at: datetime | None = None) -> Outgoing:
    return Outgoing("grid", source, str(number), at or datetime.now(UTC), {"text": "井盖缺失", "place": "中心镇"})


@pytest.fixture(scope="module")
def early(pipeline: Pipeline) -> tuple[int, Outgoing]:
    """Records that arrive too early to be believed, their neighbours, and the offset of the first."""
    at = datetime.now(UTC) + timedelta(minutes=10, seconds=8)
    ahead, kept = report(1, "/early", at), report(3, "/early", at)
    pipeline.send([report(0, "/early"), ahead, report(2, "/early"), kept])
    pipeline.send_bytes("grid", [b'{"phone": "13900000000", "reporter_name": '])
    with EventProducer(pipeline.broker) as producer:
        for number in range(3):
            wire = encode(Outgoing("sensor", "/keyless", str(number), at, {"device": f"d{number}", "status": "online"}))
            producer.send_record("sensor", None, wire.value, [CONTENT_TYPE], 1)
    pipeline.settle()
    offset = pipeline.one("SELECT min(source_offset) FROM rejected WHERE source_topic = 'citybrain.grid'")
    return int(offset), ahead


class TestRejected:
    def test_list_counts_by_reason_and_names_each_record(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:
        found = answer(pipeline, "rejected", "list")

        assert {(row["reason"], row["source_topic"]): int(row["records"]) for row in found["counts"]} == {
            ("time_out_of_range", "citybrain.grid"): 2, ("time_out_of_range", "citybrain.sensor"): 3, ("not_json", "citybrain.grid"): 1,
        }  # fmt: skip
        assert ("citybrain.grid", early[0]) in {(row["source_topic"], int(row["source_offset"])) for row in found["records"]}
        assert "not_json" in citybrain(pipeline, "rejected", "list", "--reason", "not_json")
        assert len(answer(pipeline, "rejected", "list", "--limit", "2")["records"]) == 2

    def test_list_since_a_time(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        since = [f"{datetime.now(UTC) + timedelta(seconds=shift):%Y-%m-%dT%H:%M:%SZ}" for shift in (-600, 600)]

        assert [len(answer(pipeline, "rejected", "list", "--since", at)["records"]) for at in since] == [6, 0]
        assert "yesterday" in str(run(pipeline, "rejected", "list", "--since", "yesterday", code=1).exception)

    def test_show_gives_the_bytes_as_sent(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:
        found = answer(pipeline, "rejected", "show", "citybrain.grid", "0", str(early[0]))

        assert encode(early[1]).value == base64.b64decode(found["value_base64"])
        assert "was not rejected" in _error(pipeline, "rejected", "show", "citybrain.grid", "0", "999999")

    def test_export_writes_one_object_a_line(self, pipeline: Pipeline, early: tuple[int, Outgoing], tmp_path: Path) -> None:
        citybrain(pipeline, "rejected", "export", "--out", str(tmp_path / "out.ndjson"))

        rows = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
        assert early[0] in {int(row["source_offset"]) for row in rows}
        assert {"not_json", "time_out_of_range"} == {row["reason"] for row in rows}

    def test_what_is_not_json_keeps_no_bytes_in_the_store(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        assert pipeline.one("SELECT body FROM rejected WHERE reason = 'not_json'") == ""

    def test_retry_counts_once_however_often(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:
        time.sleep(max(0.0, (early[1].at - timedelta(minutes=10) - datetime.now(UTC)).total_seconds() + 0.2))
        choice = ["rejected", "retry", "--topic", "citybrain.grid", "--partition", "0", "--offset", str(early[0])]

        assert answer(pipeline, *choice, "--dry-run") == {
            "sent": 1,
            "accepted_before": 0,
            "copies": 0,
            "gone": 0,
            "failed": 0,
            "dry_run": True,
        }
        assert answer(pipeline, *choice)["sent"] == 1
        pipeline.send([early[1]])
        pipeline.settle()
        assert pipeline.one("SELECT count() FROM events WHERE source = '/early'") == 3
        assert int(pipeline.one("SELECT sum(events) FROM v_counts_day WHERE incident_class = 'S07'")) == 3
        assert answer(pipeline, *choice)["accepted_before"] == 1
        assert pipeline.audit().clean

    def test_a_record_without_a_key_goes_back_to_its_partition(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        """In another partition the loader could not know it again, and a second retry would double it."""
        for _ in range(2):
            answer(pipeline, "rejected", "retry", "--topic", "citybrain.sensor")
        pipeline.settle()

        assert log_ends(pipeline.broker, ["citybrain.sensor"])["citybrain.sensor", 0] == 0
        assert pipeline.one("SELECT count() FROM events WHERE source = '/keyless'") == 3
        assert pipeline.audit().clean

    def test_a_record_that_is_still_bad_is_rejected_again(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        """Each time one more, not twice as many."""
        for copies in range(3):
            done = answer(pipeline, "rejected", "retry", "--reason", "not_json")
            assert (done["sent"], done["copies"]) == (1, copies)
            pipeline.settle()
        assert pipeline.one("SELECT count() FROM rejected WHERE reason = 'not_json'") == 4

    def test_past_retention_the_kept_body_is_sent(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        """What is not JSON the store has not kept: it is counted as gone."""
        end = log_ends(pipeline.broker, ["citybrain.grid"])["citybrain.grid", 0]
        admin = KafkaAdminClient(**common(pipeline.broker))
        admin.delete_records({TopicPartition("citybrain.grid", 0): end})
        admin.close()
        retry = ["rejected", "retry", "--topic", "citybrain.grid"]

        assert "1 would be sent" in citybrain(pipeline, *retry, "--dry-run")
        assert answer(pipeline, *retry) == {
            "sent": 1,
            "accepted_before": 1,
            "copies": 0,
            "gone": 4,
            "failed": 0,
            "dry_run": False,
        }
        pipeline.settle()
        assert pipeline.one("SELECT count() FROM events WHERE source = '/early'") == 4
        assert answer(pipeline, *retry, "--reason", "time_out_of_range")["accepted_before"] == 2
        report = pipeline.audit()
        assert report.clean
        assert report.not_checkable

    def test_an_offset_alone_is_refused(self, pipeline: Pipeline) -> None:
        assert "--offset needs --topic" in _error(pipeline, "rejected", "retry", "--offset", "3", code=2)


class TestStatus:
    def test_it_shows_parts_lag_and_ledger(self, pipeline: Pipeline, early: tuple[int, Outgoing]) -> None:  # noqa: ARG002
        pipeline.settle()
        _until(lambda: set(answer(pipeline, "status")["groups"]["lag"].values()) == {0}, pipeline)
        found = answer(pipeline, "status")

        assert sorted(part["part"] for part in found["parts"]) == ["kafka", "load", "work"]
        assert all(part["memory_mb"] > 20 for part in found["parts"])
        assert found["groups"]["members"] == {"citybrain-work": 1, "citybrain-load": 1}
        assert (found["behind"], found["holes"], found["problems"]) == (0, 0, [])
        assert found["ledger"]["stored"] == int(pipeline.one("SELECT count() FROM events"))
        text = citybrain(pipeline, "status")
        assert f"{found['ledger']['blocks']} blocks" in text
        assert "citybrain-load 1 members, lag 0" in text


class TestHoles:
    def test_a_hole_is_seen_and_filled_by_reading_again(self, pipeline: Pipeline) -> None:
        """A worker that is told to go on too far leaves a hole; reread fills it, once."""
        pipeline.send(Outgoing("police", "/before", str(n), datetime.now(UTC), {"text": "入室盗窃"}) for n in range(5))
        pipeline.settle()
        worker = pipeline.part("work-1")
        assert worker.process
        worker.once = True  # nobody starts it again meanwhile
        worker.process.kill()
        worker.process.wait()
        end = int(pipeline.one("SELECT max(last_offset) + 1 FROM blocks WHERE source_topic = 'citybrain.police'"))
        pipeline.send(Outgoing("police", "/hole", str(n), datetime.now(UTC), {"text": "入室盗窃"}) for n in range(50))
        _move_group(pipeline, TopicPartition("citybrain.police", 0), end + 20)
        worker.once = False
        _until(lambda: _covered(pipeline) == 30, pipeline)

        assert answer(pipeline, "status")["holes"] == 20
        hole = {"topic": "citybrain.police", "partition": 0, "first": end, "last": end + 19}
        assert [hole] == answer(pipeline, "reread", "--dry-run")["ranges"]
        assert pipeline.audit().holes == 20
        assert answer(pipeline, "reread")["records"] == 20
        assert (
            answer(pipeline, "reread", "--topic", "citybrain.police", "--from", str(end), "--to", str(end + 49))["records"]
            == 50
        )
        _until(lambda: _covered(pipeline) == 50, pipeline)
        _until(lambda: answer(pipeline, "status")["ledger"]["redelivered"] >= 50, pipeline)
        assert answer(pipeline, "status")["holes"] == 0
        assert pipeline.audit().clean


def _covered(pipeline: Pipeline) -> int:
    return int(pipeline.one("SELECT count() FROM events WHERE source = '/hole'"))


def _until(done: Callable[[], bool], pipeline: Pipeline, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        pipeline.deployment.supervisor.look()
        time.sleep(0.5)


def _move_group(pipeline: Pipeline, partition: TopicPartition, offset: int) -> None:
    """Move the worker's group; Kafka allows it once the dead member's session is over."""
    admin = KafkaAdminClient(**common(pipeline.broker))
    deadline = time.monotonic() + 20
    while offset != _committed(admin, partition):
        assert time.monotonic() < deadline
        with suppress(KafkaError):
            admin.alter_group_offsets("citybrain-work", {partition: OffsetAndMetadata(offset, "", -1)})
        time.sleep(0.5)
    admin.close()


def _committed(admin: KafkaAdminClient, partition: TopicPartition) -> int | None:
    found = admin.list_group_offsets("citybrain-work")["citybrain-work"].get(partition)
    return found.offset if found else None


def _error(pipeline: Pipeline, *arguments: str, code: int = 1) -> str:
    return run(pipeline, *arguments, code=code).stderr
