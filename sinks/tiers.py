"""The response tiers of the settings as rows, so that SQL can judge cases."""

from __future__ import annotations

import pyarrow as pa

from schemas.response import STEPS, ResponseTiers
from sinks.store import Store


def fill_tiers(store: Store, tiers: ResponseTiers) -> None:
    """Write the rules; the views use those that were written last. The same tiers again change nothing but their time."""
    rules = tiers.rules()
    columns = {
        "config": pa.array([tiers.config] * len(rules)),
        "position": pa.array(range(len(rules)), pa.uint16()),
        "tier": [rule.tier for rule in rules],
        "axis": pa.array([tiers.axis] * len(rules)),
        "selector": [rule.selector for rule in rules],
    } | {f"{step}_ms": pa.array([rule.limits_ms.get(step) for rule in rules], pa.uint64()) for step in STEPS}
    store.insert("response_tiers", pa.table(columns), f"response tiers {tiers.config}")
