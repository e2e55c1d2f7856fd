"""Maintenance of a store that loaders write to: hold them all, finish what was begun and not ended, then do the work.

with held(broker, store, "repair") as hold:
    ...; hold.check(); one change that nobody may see half done
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kafka.admin import KafkaAdminClient
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    KafkaError,
    NotCoordinatorError,
)

from schemas.errors import BrokerUnavailable, CitybrainError
from schemas.kafka_clients import open_admin
from schemas.kafka_options import LOADER_GROUP, Broker, common
from sinks.half_stored import complete_half_stored
from sinks.holds import Hold
from sinks.relabel import finish
from sinks.store import Store

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 120.0
"""For loaders to stand still, and for earlier maintenance to end."""
SETTLE_SECONDS: Final = 0.5
"""Two holds taken at once see each other after this long."""
PAUSE_SECONDS: Final = 0.2
SETTLED: Final = frozenset({"Stable", "Empty", "Dead"})
"""States of a consumer group in which its list of members is whole."""
COMING: Final = (CoordinatorNotAvailableError, NotCoordinatorError, CoordinatorLoadInProgressError)
"""Pass by themselves, as on a broker that is new."""


class NotHeld(CitybrainError):
    """Some loaders went on working, or earlier maintenance did not end. Nothing was changed."""

    retryable = True


@contextmanager
def held(broker: Broker, store: Store, reason: str, group: str = LOADER_GROUP, *, completing: bool = True) -> Iterator[Hold]:
    """All loaders of the group wait between two records, and nothing is half done, until the block ends.

    Records half stored are completed and a reclassification that was begun is finished before it starts; not `completing`: they
    are left, as when all tables are replaced.

    NotHeld: they did not in PATIENCE_SECONDS. BrokerUnavailable: Kafka cannot say who the loaders are.
    """
    hold = Hold(store, reason)
    try:
        _wait(broker, hold, group)
        if completing:
            complete_half_stored(broker, store, hold.check)
            finish(store, hold.check)
        yield hold
    except KafkaError as error:
        message = f"{broker.bootstrap}: {error!r}"
        raise BrokerUnavailable(message) from error
    finally:
        hold.release()


def _wait(broker: Broker, hold: Hold, group: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    time.sleep(SETTLE_SECONDS)
    admin = open_admin(common(broker))
    try:
        while True:
            why = _not_yet(admin, hold, group)
            if not why:
                return
            if time.monotonic() > deadline:
                message = f"{why} after {PATIENCE_SECONDS:.0f} s; nothing was changed, run the command again"
                raise NotHeld(message)
            time.sleep(PAUSE_SECONDS)
    finally:
        admin.close()


def _not_yet(admin: KafkaAdminClient, hold: Hold, group: str) -> str:
    """Why the hold does not hold yet; empty when it does."""
    if not hold.in_force():
        return "an earlier hold still stands (table holds)"
    try:
        found = admin.describe_groups([group])[group]
    except GroupIdNotFoundError:
        return ""
    except COMING as error:
        return f"Kafka cannot say who loads ({error!r})"
    if found["group_state"] not in SETTLED:
        return f"the loaders of group {group} are changing ({found['group_state']})"
    working = {member["client_id"] for member in found["members"]} - hold.acknowledged()
    return f"loaders {', '.join(sorted(working))} do not wait" if working else ""
