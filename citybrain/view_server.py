"""The view as a process: store and log behind it, uvicorn in front."""

from __future__ import annotations

import os
import socket
import threading
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn
from kafka import KafkaProducer
from kafka.errors import KafkaError

from citybrain.asking import open_asking
from citybrain.catalogue_folder import catalogue_of
from citybrain.places_file import known_places
from citybrain.running import located
from citybrain.settings import Settings
from citybrain.tiers_file import configured_tiers
from citybrain.view_tokens import LOOPBACK, check_bind, read_tokens
from schemas.alerts import AlertAction, encode_alert
from schemas.errors import BrokerUnavailable
from schemas.kafka_options import Broker, producer
from schemas.topics import ALERTS
from view.app import build_app
from view.city import CityMap
from view.live import Hub
from view.parts import Parts
from view.who import Tokens

CONFIRM_SECONDS = 10.0
LEAVE_SECONDS = 4.0


class ActionLog:
    """Writes actions to the log. The producer is made with the first one: reading needs no Kafka."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._producer: KafkaProducer | None = None

    def __call__(self, action: AlertAction) -> None:
        """Send, and return when the broker has confirmed it. BrokerUnavailable: it may or may not be in the log.

        Sent again under the same Idempotency-Key it is the same event, which is stored once.
        """
        wire = encode_alert(action)
        try:
            if self._producer is None:
                self._producer = KafkaProducer(**producer(self._broker) | {"linger_ms": 0})
            self._producer.send(ALERTS.name, key=wire.key, value=wire.value, headers=wire.headers).get(CONFIRM_SECONDS)
        except KafkaError as error:
            raise BrokerUnavailable(f"{ALERTS.name}: action {action.id} not confirmed: {error!r}") from error

    def close(self) -> None:
        """Let go of the broker."""
        if self._producer:
            self._producer.close(CONFIRM_SECONDS)


class _Server(uvicorn.Server):
    """Stops within `LEAVE_SECONDS`, whatever its clients and threads do."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams at once; others have two seconds. A thread that makes a mask or waits for the store holds nothing to keep."""
        last = threading.Timer(LEAVE_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()
        self._hub.close()
        await super().shutdown(sockets)


def serve(settings: Settings, data_dir: Path | None, host: str, port: int) -> None:
    """Run until SIGTERM or Ctrl-C. BadSettings: no token file for a bind beyond loopback, or the file is not one."""
    settings = located(settings, data_dir)
    catalogue = catalogue_of(settings.city.catalogue)
    tokens = read_tokens(settings.view.tokens, catalogue)
    check_bind(host, tokens)
    actions = ActionLog(settings.broker)
    anonymous = host in LOOPBACK
    parts = Parts(
        ask=open_asking(settings, data_dir),
        publish=actions,
        city=CityMap(known_places(settings.city.places, settings.data_dir)),
        zone=ZoneInfo(settings.city.time_zone),
        tokens=Tokens(tokens, catalogue),
        catalogue=catalogue,
        tiers=configured_tiers(settings.city.response_tiers),
        anonymous=anonymous,
        hosts=LOOPBACK if anonymous else None,
        version=version("citybrain"),
        late_after=timedelta(minutes=settings.watch.lateness_minutes),
    )
    app = build_app(parts)
    try:
        config = uvicorn.Config(
            app, host=host, port=port, access_log=False, server_header=False, log_config=None, lifespan="on",
            timeout_graceful_shutdown=2, proxy_headers=False,
        )  # fmt: skip
        _Server(config, app.state.served.hub).run()
    finally:
        actions.close()
