"""Every Kafka topic: name, key, content, partitions, retention. The only place a topic is named.

All but blocks use the broker's append time as record time, so that arrival never depends on a producer's clock.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from schemas.events import Kind

DAY_MS: Final = 86_400_000


class Topic(NamedTuple):
    """One topic. `partitions` is the start on one machine; raising it is `citybrain topics`' job."""

    name: str
    key: str
    content: str
    partitions: int
    retention_ms: int
    max_message_bytes: int = 2_097_152


RAW: Final[dict[Kind, Topic]] = {
    "sensor": Topic("citybrain.sensor", "source and id", "CloudEvent of schemas.events.SensorEvent", 2, 7 * DAY_MS),
    "police": Topic("citybrain.police", "source and id", "CloudEvent of schemas.events.PoliceEvent", 1, 30 * DAY_MS),
    "grid": Topic("citybrain.grid", "source and id", "CloudEvent of schemas.events.GridEvent", 1, 30 * DAY_MS),
}
"""Raw topics by kind: one record = one event = one row."""

RISK: Final = Topic("citybrain.risk", "none", "Arrow block of one source partition (schemas.block)", 2, 7 * DAY_MS, 20_971_520)
"""Blocks. At least as many partitions as the widest raw topic: partition p of any topic goes to partition p here."""

ALERTS: Final = Topic("citybrain.alerts", "alert id", "CloudEvent of schemas.alerts: alert or action", 1, 365 * DAY_MS)
"""Alerts of the watch and what people did about them; few, and kept long."""

ALL: Final[tuple[Topic, ...]] = (*RAW.values(), RISK, ALERTS)
