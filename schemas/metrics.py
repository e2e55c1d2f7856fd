"""Every metric: name, labels, meaning. The only place a metric is named.

Parts take the ones they move; `citybrain` serves them all on one loopback port (prometheus-client).
"""

from __future__ import annotations

from typing import Final, get_args

from prometheus_client import Counter, Gauge, Histogram

from schemas.events import Kind
from schemas.reasons import REASONS

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

EVENTS = Counter("citybrain_events_total", "Records read from raw topics", ["kind"])
REJECTED = Counter("citybrain_events_rejected_total", "Records that became rejects, by reason", ["reason"])
CLASSIFIED = Counter("citybrain_events_classified_total", "Accepted events by incident class", ["incident_class"])
MODEL_RELOADS = Counter("citybrain_model_reloads_total", "Text models put in place of another: loaded | refused", ["result"])
PERSON_FIELDS_DROPPED = Counter("citybrain_person_fields_dropped_total", "Person fields cut out, by field name", ["field"])
BLOCK_ROWS = Histogram("citybrain_block_rows", "Rows of a block", buckets=(1, 10, 100, 1000, 5000, 10000, 20000))
BLOCK_AGE = Histogram("citybrain_block_age_seconds", "First arrival in Kafka to the block's confirmation", buckets=SECONDS)
BLOCK_AGE_SET = Gauge("citybrain_block_age_limit_seconds", "Age at which blocks close now", multiprocess_mode="mostrecent")
COOK_SECONDS = Histogram("citybrain_cook_seconds", "Validate, locate, classify, redact one block", buckets=SECONDS)
LAG = Gauge(
    "citybrain_lag_records",
    "Records not yet read, by topic and partition",
    ["topic", "partition"],
    multiprocess_mode="mostrecent",
)
STORED = Counter("citybrain_clickhouse_rows_total", "Rows stored, by table", ["table"])
INSERT_SECONDS = Histogram(
    "citybrain_clickhouse_insert_seconds", "One insert into one table, views included", ["table"], buckets=SECONDS
)
QUERYABLE_SECONDS = Histogram(
    "citybrain_event_lag_seconds", "Kafka append to queryable, oldest row of each block", buckets=SECONDS
)
REPEATED = Counter("citybrain_events_repeated_total", "Rows dropped as repeats: repeated | conflict | redelivered", ["how"])
HOLES = Gauge(
    "citybrain_holes_records",
    "Source offsets between covered ranges, by topic and partition",
    ["topic", "partition"],
    multiprocess_mode="mostrecent",
)
DOUBLES = Gauge("citybrain_doubles_events", "Events stored more than once, by the last audit", multiprocess_mode="mostrecent")
SENT = Counter("citybrain_sent_total", "Events producers sent, by kind and outcome: delivered | failed", ["kind", "result"])
RESTARTS = Counter("citybrain_part_restarts_total", "Parts started again by the supervisor", ["part"])
PART_UP = Gauge(
    "citybrain_part_up", "1 while a part runs, 0 while it does not, by part", ["part"], multiprocess_mode="mostrecent"
)
VIEW_ANSWERS = Counter("citybrain_view_answers_total", "Answers of the HTTP API, by status", ["status"])
VIEW_SECONDS = Histogram("citybrain_view_seconds", "A question to the HTTP API to the head of its answer", buckets=SECONDS)
VIEW_STREAMS = Gauge("citybrain_view_streams", "Open live streams of the HTTP API", multiprocess_mode="mostrecent")
VIEW_DROPPED = Counter("citybrain_view_dropped_total", "Clients of the live stream that read too slowly and were dropped")
NOTIFIED = Counter("citybrain_alerts_notified_total", "Alerts sent to Alertmanager, by outcome: delivered | failed", ["result"])

# A counter that appears with its first count has no increase that Prometheus can see: those that rules watch start at 0.
for _reason in REASONS:
    REJECTED.labels(_reason)
for _how in ("repeated", "conflict", "redelivered"):
    REPEATED.labels(_how)
for _kind in get_args(Kind):
    EVENTS.labels(_kind)
for _result in ("delivered", "failed"):
    NOTIFIED.labels(_result)
ALERTS = Counter("citybrain_alerts_total", "Alerts the watch sent, by risk category and detector", ["category", "detector"])
WATCH_LAG = Gauge(
    "citybrain_watch_lag_seconds",
    "Event time that is complete and not judged yet, by kind of source",
    ["kind"],
    multiprocess_mode="mostrecent",
)
