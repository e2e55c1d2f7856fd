"""Kafka client options from settings. Pure: dictionaries in, dictionaries out.

One place, so that every client of a deployment speaks to the broker in the same way; why there are two client libraries:
docs/decisions/0011.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

LOADER_GROUP: Final = "citybrain-load"
"""Consumer group of the loaders: it shares partitions out, shows lag, and says who has to wait for a hold."""


BLOCK_AGE_MS: Final = 400
"""A block closes at this age when nothing else is set (docs/decisions/0068)."""
METADATA_AGE_MS: Final = 10_000
"""So soon a client sees that partitions were added, or that a topic was made again; clients by themselves take five minutes."""


class Broker(BaseModel):
    """How to reach Kafka. `CITYBRAIN_BROKER__BOOTSTRAP` sets `bootstrap`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: str = Field("127.0.0.1:9092", description="host:port of one or more brokers, comma separated")
    security_protocol: str = Field("PLAINTEXT", description="PLAINTEXT (loopback only), SSL, SASL_PLAINTEXT or SASL_SSL")
    sasl_mechanism: str | None = Field(None, description="SCRAM-SHA-512 and the like, with SASL_*")
    sasl_username: str | None = Field(None, description="user name, with sasl_mechanism")
    sasl_password: str | None = Field(None, repr=False, description="password; better from the environment than from a file")
    ssl_cafile: str | None = Field(None, description="CA certificate, PEM")
    session_timeout_ms: int = Field(6_000, ge=1_000, description="a dead member's partitions move after this long")
    heartbeat_interval_ms: int = Field(2_000, ge=100, description="a member shows that it lives this often")


def common(broker: Broker) -> dict[str, Any]:
    """Options every kafka-python client takes."""
    options: dict[str, Any] = {
        "bootstrap_servers": broker.bootstrap.split(","),
        "bootstrap_timeout_ms": 10_000,
        "security_protocol": broker.security_protocol,
    }
    if broker.sasl_mechanism:
        options |= {
            "sasl_mechanism": broker.sasl_mechanism,
            "sasl_plain_username": broker.sasl_username,
            "sasl_plain_password": broker.sasl_password,
        }
    if broker.ssl_cafile:
        options["ssl_cafile"] = broker.ssl_cafile
    return options


def producer(broker: Broker) -> dict[str, Any]:
    """An idempotent producer that waits for all replicas."""
    return common(broker) | {
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 20,
        "batch_size": 262_144,
        "compression_type": "lz4",
        "max_request_size": 8_388_608,
        "delivery_timeout_ms": 120_000,
    }


def reader(broker: Broker) -> dict[str, Any]:
    """A consumer without a group, that is told what to read and never jumps by itself."""
    return common(broker) | {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "max_partition_fetch_bytes": 8_388_608,
        "fetch_max_bytes": 33_554_432,
    }


def loader(broker: Broker, group: str, member: str = "citybrain-load") -> dict[str, Any]:
    """The loader's consumer: its position comes from the ledger, the group only shares out partitions. `member` is its name."""
    return reader(broker) | {
        "client_id": member,
        "group_id": group,
        "session_timeout_ms": broker.session_timeout_ms,
        "heartbeat_interval_ms": broker.heartbeat_interval_ms,
        "max_poll_records": 8,
        "metadata_max_age_ms": METADATA_AGE_MS,
    }


def busy_metadata(share: float) -> str:
    """What a loader writes beside its committed offset: the share (0 to 1) of its time that went into storing."""
    return f"busy={share:.2f}"


def busy_share(metadata: str | None) -> float | None:
    """The share a loader wrote with `busy_metadata`; None for anything else."""
    name, _, value = (metadata or "").partition("=")
    try:
        return min(1.0, max(0.0, float(value))) if name == "busy" else None
    except ValueError:
        return None
