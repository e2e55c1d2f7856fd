"""Kafka to Kafka: validate, locate, classify, redact; one Arrow block per batch of one source partition."""

import os

# Blocks are cooked side by side, each by one thread: waking polars' pool for each of its small steps costs a tenth of the worker.
# Polars reads this when it is loaded (docs/decisions/0067).
os.environ.setdefault("POLARS_MAX_THREADS", "1")
