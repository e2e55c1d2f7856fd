"""A whole deployment on one machine: Kafka, worker, loader, watch, in one data folder."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from citybrain.local_kafka import LocalKafka
from citybrain.metrics_server import METRICS, SHARED, clear_metrics
from citybrain.places_file import PLACES, write_places
from citybrain.query_socket import ask
from citybrain.reading import SOCKET
from citybrain.running import hold, remove_note, write_note
from citybrain.settings import Settings
from citybrain.supervisor import Part, Supervisor
from citybrain.topics import ensure_topics
from schemas.errors import CitybrainError, StoreUnavailable
from schemas.kafka_options import Broker
from schemas.places import Places

START_SECONDS = 60.0
STOP_SECONDS, PARTS_SECONDS, KAFKA_SECONDS = 8.0, 5.5, 2.5
"""Of the ten seconds that stopping may take: for all, for parts at most, for Kafka at least. Our own exit takes the rest."""


class Deployment:
    """Starts the parts in order, keeps them alive by `look`, stops them all within ten seconds."""

    def __init__(
        self, settings: Settings, data_dir: Path, places: Places | None, *, kafka_port: int | None = None, metrics_url: str = "",
        watched: bool = True,
    ) -> None:  # fmt: skip
        self.data_dir = data_dir.absolute()
        self._settings = settings
        self._places = places
        self._metrics_url = metrics_url
        self._watched = watched
        self._kafka = LocalKafka(self.data_dir / "kafka", port=kafka_port)
        self._lock: IO[str] | None = None
        self.supervisor = Supervisor()

    @property
    def broker(self) -> Broker:
        """The local Kafka."""
        return self._settings.broker.model_copy(update={"bootstrap": self._kafka.bootstrap})

    def start(self) -> None:
        """Kafka, topics, loader, workers, watch; returns when the loader answers queries. AlreadyRunning: the folder is in use."""
        self._lock = hold(self.data_dir)
        write_note(self.data_dir, self.broker, self._metrics_url)
        (self.data_dir / "logs").mkdir(parents=True, exist_ok=True)
        clear_metrics(self.data_dir / METRICS)
        if self._places:
            write_places(self.data_dir / PLACES, self._places)
        else:
            (self.data_dir / PLACES).unlink(missing_ok=True)
        self._kafka.start()
        ensure_topics(self.broker)
        self.part("load", ["load"])
        for number in range(self._settings.work.processes):
            self.part(f"work-{number + 1}", ["work"], {"CITYBRAIN_WORK__INSTANCE": f"worker-{number + 1}"})
        if self._settings.alertmanager.url:
            self.part("notify", ["notify"])
        self._wait_for_queries()
        if self._watched:
            self.part("watch", ["watch"])

    def part(self, name: str, arguments: list[str], extra: dict[str, str] | None = None, *, once: bool = False) -> Part:
        """Start one more child of this deployment."""
        environment = {
            "CITYBRAIN_BROKER__BOOTSTRAP": self._kafka.bootstrap,
            "CITYBRAIN_CLICKHOUSE__URL": str(self.data_dir / "clickhouse"),
            "CITYBRAIN_DATA_DIR": str(self.data_dir),
            "CITYBRAIN_CITY__TIME_ZONE": self._settings.city.time_zone,
            "CITYBRAIN_LOG__FORMAT": "json",
            "CITYBRAIN_METRICS__PORT": "0",
            SHARED: str(self.data_dir / METRICS),
            **(extra or {}),
        }
        if self._places:
            environment["CITYBRAIN_CITY__PLACES"] = str(self.data_dir / PLACES)
        return self.supervisor.add(Part(name, arguments, environment, self.data_dir / "logs" / f"{name}.log", once))

    def query(self, sql: str, fmt: str) -> bytes:
        """Ask the loader."""
        return ask(self.data_dir / SOCKET, sql, fmt)

    def stop(self) -> None:
        """Stop everything within ten seconds, also on a busy machine: parts first, then Kafka with the time they left."""
        begun = time.monotonic()
        self.supervisor.stop(PARTS_SECONDS)
        self._kafka.stop(max(STOP_SECONDS - (time.monotonic() - begun), KAFKA_SECONDS))
        if self._lock:
            remove_note(self.data_dir)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _wait_for_queries(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.supervisor.look()
            try:
                self.query("SELECT count() FROM blocks", "TSV")
            except CitybrainError:
                time.sleep(0.2)
            else:
                return
        raise StoreUnavailable(
            "load", 0, f"the loader did not answer in {START_SECONDS:.0f} s; see {self.data_dir / 'logs' / 'load.log'}"
        )
