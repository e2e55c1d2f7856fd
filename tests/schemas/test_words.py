"""Closed lists: reasons of rejects, metrics, client options. Each word is explained, used, and named in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Counter, Gauge, Histogram
from pydantic import ValidationError

import schemas.metrics
from schemas import kafka_options
from schemas.kafka_options import Broker
from schemas.reasons import REASONS

ROOT = Path(__file__).parents[2]
METRICS = {name: metric for name, metric in vars(schemas.metrics).items() if isinstance(metric, Counter | Gauge | Histogram)}


def words_in(folder: str) -> set[str]:
    """Every string constant of a package's modules."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / folder).rglob("*.py")]
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_reason_is_used_by_streams() -> None:
    """A reason that nothing gives would be a promise nobody keeps."""
    assert set(REASONS) - words_in("streams") == set()


def test_every_reason_that_streams_gives_is_in_the_list() -> None:
    """First word of each Reject, Unreadable and refuse(...), and of each (reason, detail) that the judge returns."""
    given: set[str] = set()
    for path in (ROOT / "streams").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Reject"), args=[_, _, ast.Constant(value=str(reason)), *_]):
                    given.add(reason)
                case ast.Call(func=ast.Name(id="refuse"), args=[_, ast.Constant(value=str(reason)), *_]):
                    given.add(reason)
                case ast.Call(func=ast.Name(id="Unreadable"), args=[ast.Constant(value=str(reason)), _]):
                    given.add(reason)
                case ast.Return(value=ast.Tuple(elts=[ast.Constant(value=str(reason)), _])):
                    given.add(reason)
    assert given == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_a_word_with_an_explanation(reason: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]+", reason)
    assert len(REASONS[reason]) > 20


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_has_our_prefix_a_unit_and_an_explanation(name: str) -> None:
    (family,) = METRICS[name].collect()
    assert re.fullmatch(r"citybrain_[a-z_]+", family.name)
    assert len(family.documentation) > 10
    if isinstance(METRICS[name], Histogram):
        assert family.name.endswith(("_seconds", "_rows"))


def test_the_metrics_of_the_contract_are_there() -> None:
    """Events in, rejected, classified, lag, block size and age, insert time, latency, holes, doubles."""
    wanted = {
        "EVENTS",
        "REJECTED",
        "CLASSIFIED",
        "LAG",
        "BLOCK_ROWS",
        "BLOCK_AGE",
        "INSERT_SECONDS",
        "QUERYABLE_SECONDS",
        "HOLES",
        "DOUBLES",
    }
    assert wanted <= set(METRICS)
    assert len({metric._name for metric in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_moved_by_some_part(name: str) -> None:
    """`metrics.NAME` stands somewhere outside the list."""
    users = [path for part in ("ingest", "streams", "sinks", "view", "citybrain") for path in (ROOT / part).rglob("*.py")]
    assert any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in users)


PLAIN = Broker(bootstrap="a:1,b:2")
LOCKED = Broker(
    bootstrap="a:1", security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username="u", sasl_password="p", ssl_cafile="ca.pem"  # noqa: S106
)  # fmt: skip


def test_every_client_reaches_the_broker_in_the_same_way() -> None:
    for broker in (PLAIN, LOCKED):
        for options in (kafka_options.producer(broker), kafka_options.reader(broker), kafka_options.loader(broker, "g")):
            assert options.items() >= kafka_options.common(broker).items()
    plain, locked = kafka_options.common(PLAIN), kafka_options.common(LOCKED)
    assert plain.items() >= {"bootstrap_servers": ["a:1", "b:2"], "security_protocol": "PLAINTEXT"}.items()
    assert not [name for name in plain if name.startswith(("sasl", "ssl"))]
    assert locked.items() >= {
        "bootstrap_servers": ["a:1"], "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u", "sasl_plain_password": "p", "ssl_cafile": "ca.pem",
    }.items()  # fmt: skip


def test_producers_are_idempotent_and_readers_move_by_themselves_never() -> None:
    assert kafka_options.producer(PLAIN).items() >= {"acks": "all", "enable_idempotence": True}.items()
    for options in (kafka_options.reader(PLAIN), kafka_options.loader(PLAIN, "g")):
        assert options.items() >= {"enable_auto_commit": False, "auto_offset_reset": "none"}.items()
    assert "group_id" not in kafka_options.reader(PLAIN)
    assert kafka_options.loader(PLAIN, "g")["group_id"] == "g"


def test_a_password_is_not_printed() -> None:
    assert "sasl_password" not in repr(LOCKED)


@pytest.mark.parametrize("wrong", [{"bootstraps": "a:1"}, {"session_timeout_ms": 10}, {"heartbeat_interval_ms": "soon"}])
def test_a_misspelt_or_impossible_option_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Broker(**wrong)
