"""The view as a process: store and log behind it, tokens from their file, uvicorn in front."""

from __future__ import annotations

import json
import os
import socket
import threading
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn
from kafka import KafkaProducer
from kafka.errors import KafkaError
from pydantic import TypeAdapter, ValidationError

from citybrain.asking import open_asking
from citybrain.catalogue_folder import catalogue_of
from citybrain.places_file import known_places
from citybrain.running import located
from citybrain.settings import Settings
from citybrain.tiers_file import configured_tiers
from schemas.alerts import AlertAction, encode_alert
from schemas.catalogue.models import Catalogue
from schemas.errors import BadSettings, BrokerUnavailable
from schemas.kafka_options import Broker, producer
from schemas.topics import ALERTS
from view.app import build_app
from view.city import CityMap
from view.live import Hub
from view.parts import Parts
from view.who import Scope, Token, Tokens, check_grant, digest_of, new_secret

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONFIRM_SECONDS = 10.0
LEAVE_SECONDS = 4.0
ENTRIES: TypeAdapter[list[Token]] = TypeAdapter(list[Token])


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


def check_bind(host: str, tokens: list[Token]) -> None:
    """BadSettings: others than this machine could ask, and nobody would have to say who they are."""
    if host not in LOOPBACK and not tokens:
        message = (
            f"CITYBRAIN_VIEW__HOST is {host!r}, and there is no token: beyond loopback everybody has to say who asks. Make one with "
            "`citybrain view token new NAME --scope city`, and name its file with CITYBRAIN_VIEW__TOKENS"
        )
        raise BadSettings(message)


def read_tokens(path: Path | None, catalogue: Catalogue) -> list[Token]:
    """Entries of the token file; none without one. BadSettings names what is wrong, never a secret."""
    if path is None:
        return []
    try:
        tokens = ENTRIES.validate_python(json.loads(path.read_text(encoding="utf-8"))["tokens"], strict=False)
        for token in tokens:
            check_grant(Scope.parse(token.scope, catalogue), duty=token.duty)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = f"token file {path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise BadSettings(message) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"token file {path}: {error}; wanted what `citybrain view token new` writes"
        raise BadSettings(message) from error
    return tokens


def add_token(path: Path, name: str, scope: Scope, catalogue: Catalogue, *, duty: bool) -> str:
    """Put a new token into the file and give its secret, which is kept nowhere. BadSettings: the name is taken."""
    tokens = read_tokens(path, catalogue) if path.exists() else []
    if any(token.name == name for token in tokens):
        message = f"token file {path}: {name!r} is taken; names say in the access log who asked"
        raise BadSettings(message)
    secret = new_secret()
    try:
        check_grant(scope, duty=duty)
        entry = Token(name=name, sha256=digest_of(secret), scope=str(scope), duty=duty, created=datetime.now(UTC))
    except (ValidationError, ValueError) as error:
        message = f"token {name!r}: {error}"
        raise BadSettings(message) from error
    _write(path, [*tokens, entry])
    return secret


def _write(path: Path, tokens: list[Token]) -> None:
    """Whole or not at all, and for the owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps({"tokens": [token.model_dump(mode="json") for token in tokens]}, indent=1), encoding="utf-8")
    fresh.replace(path)
