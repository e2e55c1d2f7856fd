"""Settings: read once, from `CITYBRAIN_*` and an optional TOML file. A name nobody reads is a mistake."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import BadSettings
from schemas.kafka_options import BLOCK_AGE_MS, Broker

PREFIX = "CITYBRAIN_"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClickHouse(_Part):
    """Where facts are stored. Without `url` it is the folder `clickhouse` in `data_dir`."""

    url: str = Field("citybrain-data/clickhouse", description="a chDB folder, or http(s)://user:password@host:port/database")


class Work(_Part):
    """How a worker works."""

    block_age_ms: int = Field(BLOCK_AGE_MS, ge=50, le=10_000, description="a block closes at this age, milliseconds")
    keep_text: bool = Field(default=False, description="keep free text, redacted; off unless a deployment asks for it")
    model: Path | None = Field(
        None, description="text model by `citybrain train`, asked before the written rules; read again when replaced"
    )
    instance: str = Field("worker-1", description="static group member; one name a worker process")
    most_per_second: int = Field(
        0,
        ge=0,
        description="hold each worker process to so many records a second, for a machine that others need too; 0: do not",
    )
    processes: int = Field(1, ge=1, le=64, description="worker processes that `up` starts")


class City(_Part):
    """The city that is watched."""

    places: Path | None = Field(None, description="GeoJSON of grids (schemas.places); none: nothing is located")
    time_zone: str = Field("Asia/Shanghai", description="where a day begins (IANA)")
    catalogue: Path | None = Field(
        None, description="folder of the city's own catalogue (docs/catalogue.md); none: the shipped one"
    )
    response_tiers: Path | None = Field(None, description="YAML of response tiers (schemas.response); none: those shipped")

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("no such time zone; wanted a name of the IANA database, as Asia/Shanghai") from error
        return name


class Watching(_Part):
    """How the watch works (docs/watch.md)."""

    lateness_minutes: int = Field(10, ge=0, le=1_440, description="a window is judged so long after its end, by event time")
    cool_down_hours: int = Field(12, ge=1, le=720, description="the same area and class are not alerted again within this time")
    look_back_days: int = Field(
        60, ge=10, le=3_650, description="a watch that nothing is known of judges at most so much history"
    )
    false_share: float = Field(0.01, gt=0, lt=1, description="largest expected share of false alarms among those of one window")


class MetricsPort(_Part):
    """Prometheus."""

    port: int = Field(0, ge=0, le=65_535, description="serve metrics on this loopback port; 0: do not")


class Alertmanager(_Part):
    """Who is told of the city's alerts."""

    url: str = Field("", pattern=r"^(https?://.+)?$", description="Alertmanager that `notify` sends alerts to; empty: none")
    link: str = Field("", description="page of an alert, with {id} for its id; Alertmanager shows it as the source")


class View(_Part):
    """The HTTP API."""

    enabled: bool = Field(True, description="whether `citybrain up` runs the view; `citybrain view` runs it in any case")
    host: str = Field("127.0.0.1", description="address the view listens on; beyond loopback there have to be tokens")
    port: int = Field(0, ge=0, le=65_535, description="port of the view; 0: any free one, which is printed")
    tokens: Path | None = Field(
        None, description="file of tokens (`citybrain view token new`); none: tokens.json in the data folder"
    )


class Log(_Part):
    """Logs go to standard error."""

    format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, JSON otherwise")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")


class Settings(_Part):
    """`CITYBRAIN_BROKER__BOOTSTRAP` sets `broker.bootstrap`; in TOML it is `bootstrap` under `[broker]`."""

    data_dir: Path = Field(Path("citybrain-data"), description="folder of a local deployment: ClickHouse, Kafka, socket, logs")
    broker: Broker = Broker()
    clickhouse: ClickHouse = ClickHouse()
    work: Work = Work()
    city: City = City()
    watch: Watching = Watching()
    metrics: MetricsPort = MetricsPort()
    alertmanager: Alertmanager = Alertmanager()
    view: View = View()
    log: Log = Log()

    @classmethod
    def load(cls, file: Path | None = None, environment: dict[str, str] | None = None) -> Self:
        """Environment over file over defaults. BadSettings names what is misspelt and the nearest name that is read."""
        environment = dict(os.environ) if environment is None else environment
        named = file or (Path(environment["CITYBRAIN_CONFIG"]) if environment.get("CITYBRAIN_CONFIG") else None)
        values: dict[str, Any] = _read_toml(named) if named else {}
        told = []
        for name, value in environment.items():
            if not name.startswith(PREFIX) or name == "CITYBRAIN_CONFIG":
                continue
            path = name.removeprefix(PREFIX).lower().split("__")
            if name in cls.names() or path in [[group] for group in cls.model_fields]:
                _put(values, path, value)
            else:
                told.append(_unread(cls, name))
        if "data_dir" in values and isinstance(store := values.setdefault("clickhouse", {}), dict):
            store.setdefault("url", str(Path(values["data_dir"]) / "clickhouse"))
        try:
            # Environment values are text: they go through pydantic's lax mode, like TOML strings.
            settings = cls.model_validate(values)
        except ValidationError as error:
            told += [_explain(cls, problem) for problem in error.errors()]
            raise BadSettings("\n".join(told)) from error
        if told:
            raise BadSettings("\n".join(told))
        return settings

    @classmethod
    def names(cls) -> dict[str, str]:
        """Every setting as its environment variable, with its meaning."""
        found: dict[str, str] = {}
        for name, part in cls.model_fields.items():
            kind = part.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                for inner, field in kind.model_fields.items():
                    found[f"{PREFIX}{name}__{inner}".upper()] = field.description or ""
            else:
                found[f"{PREFIX}{name}".upper()] = part.description or ""
        return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        message = f"settings file {path}: {error}"
        raise BadSettings(message) from error


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        values = inner if isinstance(inner, dict) else {}
    values[path[-1]] = value


def _unread(settings: type[Settings], name: str) -> str:
    nearest = difflib.get_close_matches(name, settings.names(), n=1, cutoff=0)
    return f"{name}: nobody reads this setting; did you mean {nearest[0]}?"


def _explain(settings: type[Settings], problem: Any) -> str:
    name = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
    if problem["type"] == "extra_forbidden":
        return _unread(settings, name)
    if problem["type"] == "model_type":
        member = next(known for known in settings.names() if known.startswith(f"{name}__"))
        return f"{name}: got one value, but it is a group of settings, as {member}"
    got = "***" if "PASSWORD" in name else repr(problem["input"])
    return f"{name}: got {got}; {problem['msg'].removeprefix('Value error, ')}"
