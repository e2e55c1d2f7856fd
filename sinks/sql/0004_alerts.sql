-- Alerts of the watch and what people did about them: one row per distinct event of citybrain.alerts.

CREATE TABLE IF NOT EXISTS alerts
(
    alert_id String COMMENT 'hash of detector, parameters, area, category, class and window',
    at DateTime64(3, 'UTC') COMMENT 'watermark of the stream when it was raised',
    level UInt8 COMMENT '1 (red, highest) to 4 (blue)',
    area_level LowCardinality(String) COMMENT 'grid, community, town or banner',
    area LowCardinality(String) COMMENT 'prefix of the 15-digit grid code',
    category LowCardinality(String) COMMENT 'risk category id',
    incident_class LowCardinality(String) COMMENT 'incident class code, empty: all classes of the category',
    detector LowCardinality(String) COMMENT 'what raised it',
    parameters String COMMENT 'parameters of the detector, JSON',
    params_hash LowCardinality(String) COMMENT 'names the parameters',
    window_start DateTime64(3, 'UTC') COMMENT 'start of the window of event time',
    window_end DateTime64(3, 'UTC') COMMENT 'its end, not part of it',
    observed Float64 COMMENT 'count in the window',
    expected Float64 COMMENT 'what the baseline lets expect',
    upper Float64 COMMENT 'bound that was passed',
    p Nullable(Float64) COMMENT 'chance of so many without a cause',
    q Nullable(Float64) COMMENT 'the same after the many tests of the window',
    baseline Array(Float64) COMMENT 'values the expectation was computed from, oldest first',
    neighbours Array(Tuple(area String, observed Float64, expected Float64)) COMMENT 'the same window in the other areas of the parent',
    source LowCardinality(String) COMMENT 'CloudEvents source',
    body_hash UInt64 COMMENT 'hash of the record as sent',
    event_key UInt64 MATERIALIZED xxh3(concat(source, '\n', alert_id)) COMMENT 'screen for repeated events',
    received_at DateTime64(3, 'UTC') COMMENT 'when Kafka appended the record',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
    source_topic LowCardinality(String),
    source_topic_id LowCardinality(String) COMMENT 'UUID of citybrain.alerts',
    source_partition UInt16,
    source_offset UInt64
)
ENGINE = MergeTree ORDER BY alert_id
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'alerts with their evidence, one row each';

CREATE TABLE IF NOT EXISTS alert_actions
(
    action_id String COMMENT 'idempotency key: the same one again is dropped',
    alert_id String COMMENT 'alert it is about',
    kind LowCardinality(String) COMMENT 'ack, dispatch, escalate, resolve or false_alarm',
    at DateTime64(3, 'UTC') COMMENT 'when it was done',
    role LowCardinality(String) COMMENT 'role or token of the actor, never a person',
    version UInt32 COMMENT 'version of the alert that the actor saw',
    note Nullable(String) COMMENT 'free text, only where the deployment keeps it',
    source LowCardinality(String) COMMENT 'CloudEvents source',
    body_hash UInt64 COMMENT 'hash of the record as sent',
    event_key UInt64 MATERIALIZED xxh3(concat(source, '\n', action_id)) COMMENT 'screen for repeated events',
    received_at DateTime64(3, 'UTC') COMMENT 'when Kafka appended the record',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
    source_topic LowCardinality(String),
    source_topic_id LowCardinality(String) COMMENT 'UUID of citybrain.alerts',
    source_partition UInt16,
    source_offset UInt64
)
ENGINE = MergeTree ORDER BY (alert_id, action_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'what was done about alerts, one row per distinct action';

CREATE OR REPLACE VIEW v_alert_actions AS
SELECT action_id, alert_id, kind, at, role, version, received_at, source_offset
FROM alert_actions ORDER BY source_offset LIMIT 1 BY action_id;

CREATE OR REPLACE VIEW v_alerts AS
SELECT a.alert_id AS alert_id, a.at AS at, a.level AS level, a.area_level AS area_level, a.area AS area,
       substring(a.area, 1, 12) AS community, substring(a.area, 1, 9) AS town, substring(a.area, 1, 6) AS banner,
       a.category AS category, a.incident_class AS incident_class, a.detector AS detector, a.parameters AS parameters,
       a.params_hash AS params_hash, a.window_start AS window_start, a.window_end AS window_end,
       a.observed AS observed, a.expected AS expected, a.upper AS upper, a.p AS p, a.q AS q,
       a.baseline AS baseline, a.neighbours AS neighbours, a.received_at AS received_at,
       toUInt32(1 + ifNull(d.actions, 0)) AS version,
       multiIf(notEmpty(ifNull(d.ending, '')), d.ending, notEmpty(ifNull(d.last_kind, '')), d.last_kind, 'open') AS last_action,
       transform(last_action, ['ack', 'dispatch', 'escalate', 'resolve', 'false_alarm'],
                 ['acknowledged', 'dispatched', 'escalated', 'resolved', 'false_alarm'], 'open') AS state,
       state NOT IN ('resolved', 'false_alarm') AS is_open,
       d.acknowledged_at AS acknowledged_at, d.dispatched_at AS dispatched_at, d.escalated_at AS escalated_at, d.ended_at AS ended_at
FROM (SELECT * FROM alerts ORDER BY source_offset LIMIT 1 BY alert_id) AS a
LEFT JOIN
(
    SELECT alert_id, uniqExact(action_id) AS actions, argMax(kind, source_offset) AS last_kind,
           argMinIf(kind, source_offset, kind IN ('resolve', 'false_alarm')) AS ending,
           minIf(toNullable(at), kind = 'ack') AS acknowledged_at, minIf(toNullable(at), kind = 'dispatch') AS dispatched_at,
           minIf(toNullable(at), kind = 'escalate') AS escalated_at,
           minIf(toNullable(at), kind IN ('resolve', 'false_alarm')) AS ended_at
    FROM alert_actions GROUP BY alert_id
) AS d ON d.alert_id = a.alert_id;
