"""Opens clients of kafka-python so that one which finds no broker leaves nothing behind.

kafka-python 3.0.12 starts a thread in the constructor of an admin client or a consumer, raises when no broker answers in time, and
leaves that thread with its sockets to nobody: a part that tries again through an hour without a broker would run out of them.
A KafkaProducer cleans up after itself. The only module here that does something; docs/decisions/0059.
"""

from __future__ import annotations

from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.net.compat import KafkaNetClient


def open_admin(options: dict[str, Any]) -> KafkaAdminClient:
    """An admin client that reached a broker. KafkaError: none answered within `bootstrap_timeout_ms`."""
    return _opened(KafkaAdminClient, options)


def open_consumer(options: dict[str, Any]) -> KafkaConsumer:
    """A consumer that reached a broker. KafkaError: none answered within `bootstrap_timeout_ms`."""
    return _opened(KafkaConsumer, options)


def _opened(kind: Any, options: dict[str, Any]) -> Any:
    begun: list[KafkaNetClient] = []

    def begin(**configs: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**configs))
        return begun[-1]

    try:
        return kind(**options, kafka_client=begin)
    except BaseException:
        for client in begun:
            client.close()
        raise
