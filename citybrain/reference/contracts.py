"""Pages of what `schemas` fixes: topics, reasons, metrics, taxonomy; and the settings."""

from __future__ import annotations

import types
from typing import Any, Final, Literal, get_args, get_origin

from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from citybrain.reference.markdown import code, table
from citybrain.settings import PREFIX, Settings
from citybrain.topics import topic_config
from schemas import metrics as all_metrics
from schemas.reasons import REASONS
from schemas.taxonomy import taxonomy
from schemas.topics import ALL, DAY_MS

TYPE_NAMES: Final[dict[Any, str]] = {int: "whole number", str: "text", bool: "true or false"}


def topics() -> str:
    """Every topic, in the order of an event's way."""
    return table(
        ("topic", "key", "content", "partitions", "retention", "largest record", "record time"),
        [
            (
                code(topic.name),
                topic.key,
                topic.content,
                topic.partitions,
                f"{topic.retention_ms // DAY_MS} days",
                f"{topic.max_message_bytes:,} bytes",
                code(topic_config(topic)["message.timestamp.type"]),
            )
            for topic in ALL
        ],
    )


def reasons() -> str:
    """Every reason a record is rejected for."""
    return table(("reason", "meaning"), [(code(name), meaning) for name, meaning in REASONS.items()])


def metrics() -> str:
    """Every metric, by name."""
    found = [value for value in vars(all_metrics).values() if isinstance(value, MetricWrapperBase)]
    return table(
        ("metric", "type", "labels", "meaning"),
        sorted((code(_exposed(m)), m._type, ", ".join(map(code, m._labelnames)), m._documentation) for m in found),  # noqa: SLF001
    )


def settings() -> str:
    """Every setting: environment variable, place in the TOML file, values, default, meaning."""
    rows = []
    for name in sorted(Settings.names()):
        path = name.removeprefix(PREFIX).lower().split("__")
        field = _field(path)
        in_toml = f"[{path[0]}] {path[1]}" if len(path) > 1 else path[0]
        rows.append((code(name), code(in_toml), _values(field), code(_default(field)), field.description or ""))
    return table(("environment", "TOML", "values", "default", "meaning"), rows)


def categories() -> str:
    """The risk categories."""
    words = taxonomy()
    return table(
        ("category", "letter", "中文", "English", "classes"),
        [
            (code(entry.id), entry.letter, entry.zh, entry.en, sum(name[0] == entry.letter for name in words.classes))
            for entry in words.categories.values()
        ],
    )


def classes() -> str:
    """The incident classes, category by category."""
    words = taxonomy()
    return table(
        ("class", "中文", "English", "category", "CAP", "source"),
        [
            (code(name), entry.zh, entry.en, code(words.category_of(name)), entry.cap, entry.source)
            for name, entry in words.classes.items()
        ],
    )


def _exposed(metric: MetricWrapperBase) -> str:
    """The name as Prometheus shows it; the client library keeps a counter's name without its ending."""
    return str(metric._name) + ("_total" if metric._type == "counter" else "")  # noqa: SLF001


def _field(path: list[str]) -> FieldInfo:
    model: Any = Settings
    for part in path[:-1]:
        model = model.model_fields[part].annotation
        assert issubclass(model, BaseModel)  # noqa: S101 - Settings.names() goes no deeper
    field: FieldInfo = model.model_fields[path[-1]]
    return field


def _values(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if get_origin(kind) is types.UnionType:
        (kind,) = [choice for choice in get_args(kind) if choice is not type(None)]
    if get_origin(kind) is Literal:
        return ", ".join(map(code, get_args(kind)))
    bounds = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    text = TYPE_NAMES.get(kind, "path")
    if "ge" in bounds:
        text += f" from {bounds['ge']:,}"
    if "le" in bounds:
        text += f" to {bounds['le']:,}"
    return text


def _default(field: FieldInfo) -> str:
    if field.default is None:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
