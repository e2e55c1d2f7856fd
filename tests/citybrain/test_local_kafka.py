"""A real Kafka on this machine: verified jars, records that survive a restart, no process left behind."""

from __future__ import annotations

import hashlib
import json
import uuid
from importlib.resources import files
from pathlib import Path

import psutil
import pytest

from citybrain import local_kafka
from citybrain.audit.raw_log import log_ends
from citybrain.local_kafka import BadJar, LocalKafka, cluster_id, resolve_kafka, verify_jars
from citybrain.topics import ensure_topics
from ingest.producer import EventProducer
from schemas.errors import BrokerUnavailable
from schemas.kafka_options import Broker
from schemas.topic_ids import topic_ids


class TestBroker:
    def test_a_start_in_the_same_folder_finds_the_same_records(self, tmp_path: Path) -> None:
        """Even after kill -9: what was acknowledged is there, under the same topic ids."""
        kafka = LocalKafka(tmp_path)
        kafka.start()
        broker = Broker(bootstrap=kafka.bootstrap)
        try:
            ensure_topics(broker)
            ids = topic_ids(broker, ["citybrain.grid"])
            with EventProducer(broker) as producer:
                for number in range(100):
                    producer.send_record("grid", b"k", str(number).encode(), [])
            pid = kafka.pid
            assert pid is not None

            kafka.kill()
            assert kafka.pid is None
            assert not psutil.pid_exists(pid)
            kafka.start()

            assert producer.delivered == 100
            assert log_ends(broker, ["citybrain.grid"]) == {("citybrain.grid", 0): 100}
            assert topic_ids(broker, ["citybrain.grid"]) == ids
        finally:
            kafka.stop()
        kafka.stop()  # a second time changes nothing

    def test_it_listens_on_loopback_only(self, broker: Broker) -> None:
        port = int(broker.bootstrap.rpartition(":")[2])
        listening = [c.laddr for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr]

        assert [address.ip.removeprefix("::ffff:") for address in listening if address.port == port] == ["127.0.0.1"]

    def test_a_cluster_id_never_looks_like_an_option(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One in 64 would start with a dash; the broker's storage tool refuses those."""
        drawn = [uuid.UUID(bytes=bytes([first]) + bytes(15)) for first in (0xF8, 0xFB, 0x10)]
        monkeypatch.setattr(uuid, "uuid4", lambda: drawn.pop(0))

        assert cluster_id() == "EAAAAAAAAAAAAAAAAAAAAA"

    def test_storage_that_cannot_be_made_is_told_at_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local_kafka, "cluster_id", lambda: "-Option")

        with pytest.raises(BrokerUnavailable, match="could not format"):
            LocalKafka(tmp_path).start()

    def test_one_that_cannot_start_says_where_to_look(self, tmp_path: Path, broker: Broker) -> None:
        """Its port is taken by another broker, which answers: that one must not be taken for ours."""
        second = LocalKafka(tmp_path, port=int(broker.bootstrap.rpartition(":")[2]))

        with pytest.raises(BrokerUnavailable, match=r"ended with code .* see .*kafka\.log"):
            second.start()
        assert second.pid is None
        assert "Address already in use" in (tmp_path / "kafka.log").read_text()


class TestJars:
    def test_what_was_resolved_is_what_was_recorded(self) -> None:
        recorded = json.loads(files("citybrain").joinpath("kafka_jars.json").read_text())["jars"]

        assert {Path(jar).name for jar in resolve_kafka().classpath.split(":")} == set(recorded)

    def test_a_changed_jar_is_refused_by_name_and_checksums(self, tmp_path: Path) -> None:
        jar = tmp_path / "kafka.jar"
        jar.write_bytes(b"good")
        wanted = hashlib.sha256(b"good").hexdigest()
        verify_jars([jar], {"kafka.jar": wanted})
        jar.write_bytes(b"bad")

        with pytest.raises(BadJar) as refused:
            verify_jars([jar], {"kafka.jar": wanted})

        for told in ("kafka.jar", wanted, hashlib.sha256(b"bad").hexdigest(), f"remove {jar}"):
            assert told in str(refused.value)

    def test_a_jar_nobody_recorded_is_refused(self, tmp_path: Path) -> None:
        jar = tmp_path / "surprise.jar"
        jar.write_bytes(b"x")

        with pytest.raises(BadJar, match=r"surprise\.jar.*no such jar"):
            verify_jars([jar], {})

    def test_a_jar_that_is_missing_is_refused(self) -> None:
        with pytest.raises(BadJar, match=r"lz4\.jar.*not resolved"):
            verify_jars([], {"lz4.jar": "0"})
