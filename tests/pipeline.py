"""A whole deployment for tests: send, wait until all is stored, ask, audit, kill a part."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from citybrain.audit import run_audit
from citybrain.audit.report import AuditReport
from citybrain.deployment import Deployment
from citybrain.progress import Progress, measure
from citybrain.reading import as_arrow
from citybrain.settings import Settings
from citybrain.supervisor import Part
from ingest.outgoing import CONTENT_TYPE, Outgoing
from ingest.producer import EventProducer
from schemas.events import Kind
from schemas.kafka_options import Broker
from schemas.places import Places

SETTLE_SECONDS = 90.0


class Pipeline:
    """Real parts in one data folder."""

    def __init__(self, folder: Path, places: Places | None, settings: Settings | None = None, *, watched: bool = False) -> None:
        self.folder = folder
        self.deployment = Deployment(settings or Settings(), folder, places, watched=watched)

    @property
    def broker(self) -> Broker:
        """The deployment's Kafka."""
        return self.deployment.broker

    def send(self, events: Iterable[Outgoing]) -> int:
        """Send events by the real producer; returns how many were delivered."""
        with EventProducer(self.broker) as producer:
            for event in events:
                producer.send(event)
        assert not producer.failed
        return producer.delivered

    def send_bytes(
        self, kind: Kind, values: Iterable[bytes | None], headers: list[tuple[str, bytes]] | None = None, key: bytes = b"k"
    ) -> int:
        """Send records as they are, one after the other into one partition."""
        sent = 0
        with EventProducer(self.broker) as producer:
            for value in values:
                producer.send_record(kind, key, value, [CONTENT_TYPE] if headers is None else headers)
                sent += 1
        assert not producer.failed
        return sent

    def settle(self, seconds: float = SETTLE_SECONDS) -> Progress:
        """Wait until the ledger covers the log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.deployment.supervisor.look()
            now = self.progress()
            if now is not None and not now.behind:
                return now
            time.sleep(0.2)
        raise AssertionError(f"still behind after {seconds:.0f} s: {self.progress()}; logs in {self.folder / 'logs'}")

    def progress(self) -> Progress | None:
        """How far it is; None while the loader is away."""
        try:
            return measure(self.broker, self.deployment.query)
        except Exception as error:  # the loader may be starting again
            self.last_error = error
            return None

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Answer of a query."""
        return [json.loads(line) for line in self.deployment.query(sql, "JSONEachRow").splitlines()]

    def one(self, sql: str) -> Any:
        """The single value of a query."""
        (row,) = self.rows(sql)
        (value,) = row.values()
        return value

    def audit(self) -> AuditReport:
        """The audit over everything in the log."""
        return run_audit(self.broker, as_arrow(self.deployment.query), "Asia/Shanghai")

    def part(self, name: str) -> Part:
        """A part by its name: load, work-1."""
        (found,) = [part for part in self.deployment.supervisor.parts if part.name == name]
        return found

    def kill(self, name: str) -> None:
        """Kill -9 one part; the supervisor starts it again."""
        process = self.part(name).process
        assert process is not None
        process.kill()
        process.wait()

    def __enter__(self) -> Self:
        self.deployment.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.deployment.stop()
