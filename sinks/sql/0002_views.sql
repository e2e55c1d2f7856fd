-- The four view targets, the most an insert can afford (10-15 ms each). Levels, hours and scopes are sums over these.
-- Views are pure functions of the row. An "incident" is an event that opens something: no case stage, or stage reported.

CREATE TABLE IF NOT EXISTS counts_minute
(
    minute DateTime('UTC') COMMENT 'start of the minute of `at`',
    grid LowCardinality(String),
    incident_class LowCardinality(String),
    kind LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64) COMMENT 'all events',
    incidents SimpleAggregateFunction(sum, UInt64) COMMENT 'events without a stage or with stage reported'
)
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(minute) ORDER BY (incident_class, grid, kind, minute)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'events per minute, grid, class and kind';

CREATE MATERIALIZED VIEW IF NOT EXISTS counts_minute_mv TO counts_minute AS
SELECT toStartOfMinute(toDateTime(at, 'UTC')) AS minute, grid, incident_class, kind,
       count() AS events, countIf(stage IN ('', 'reported')) AS incidents
FROM events GROUP BY minute, grid, incident_class, kind;

CREATE TABLE IF NOT EXISTS counts_day
(
    day Date COMMENT 'day of `at` in the deployment''s time zone',
    grid LowCardinality(String),
    incident_class LowCardinality(String),
    kind LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64),
    incidents SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree PARTITION BY toYear(day) ORDER BY (incident_class, grid, kind, day)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'events per day, grid, class and kind';

CREATE MATERIALIZED VIEW IF NOT EXISTS counts_day_mv TO counts_day AS
SELECT toDate(at, '{time_zone}') AS day, grid, incident_class, kind,
       count() AS events, countIf(stage IN ('', 'reported')) AS incidents
FROM events GROUP BY day, grid, incident_class, kind;

CREATE TABLE IF NOT EXISTS cases
(
    case_id String,
    source_topic LowCardinality(String) COMMENT 'a case lives in one raw topic',
    opened AggregateFunction(argMin, Tuple(incident_class String, grid String, department String), Tuple(DateTime64(3, 'UTC'), String)) COMMENT 'class, grid and department of its earliest event',
    reported_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    accepted_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    dispatched_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    arrived_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    resolved_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    closed_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    mediation_rank SimpleAggregateFunction(max, UInt8) COMMENT 'highest mediation level tried: 0 none, 1 community, 2 town, 3 banner',
    events SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree ORDER BY (source_topic, case_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'life-cycle of each case';

CREATE MATERIALIZED VIEW IF NOT EXISTS cases_mv TO cases AS
SELECT case_id, source_topic,
       argMinState(CAST((incident_class, grid, department), 'Tuple(incident_class String, grid String, department String)'), (at, id)) AS opened,
       minIf(toNullable(at), stage = 'reported') AS reported_at,
       minIf(toNullable(at), stage = 'accepted') AS accepted_at,
       minIf(toNullable(at), stage = 'dispatched') AS dispatched_at,
       minIf(toNullable(at), stage = 'arrived') AS arrived_at,
       minIf(toNullable(at), stage = 'resolved') AS resolved_at,
       minIf(toNullable(at), stage = 'closed') AS closed_at,
       max(toUInt8(indexOf(['community', 'town', 'banner'], mediation_level))) AS mediation_rank,
       count() AS events
FROM events WHERE case_id != '' GROUP BY case_id, source_topic;

CREATE TABLE IF NOT EXISTS sensor_rollup
(
    hour DateTime('UTC'),
    device LowCardinality(String),
    metric LowCardinality(String),
    grid LowCardinality(String),
    n SimpleAggregateFunction(sum, UInt64) COMMENT 'readings',
    total SimpleAggregateFunction(sum, Decimal(38, 6)) COMMENT 'sum of values, exact to 1e-6 so that order does not matter',
    low SimpleAggregateFunction(min, Float64),
    high SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree PARTITION BY toYYYYMM(hour) ORDER BY (metric, device, grid, hour)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'sensor readings per hour, device and metric';

CREATE MATERIALIZED VIEW IF NOT EXISTS sensor_rollup_mv TO sensor_rollup AS
SELECT toStartOfHour(toDateTime(at, 'UTC')) AS hour, device, metric, grid,
       count() AS n, sum(toDecimal128(value, 6)) AS total, min(value) AS low, max(value) AS high
FROM events ARRAY JOIN metrics AS metric, values AS value
WHERE kind = 'sensor' GROUP BY hour, device, metric, grid;
