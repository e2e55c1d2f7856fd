-- Response figures of three years in tenths of a second (docs/decisions/0064): cases as judged are kept by month, and only those
-- that an insert touched since are judged at the question. The views answer the same with nothing kept, only later.

ALTER TABLE cases ADD COLUMN IF NOT EXISTS stored_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) MATERIALIZED now64(3)
    COMMENT 'when a row of the case was inserted here last';

ALTER TABLE cases MATERIALIZE COLUMN stored_at;

CREATE TABLE IF NOT EXISTS response_kept
(
    month Date COMMENT 'first day of the month the case was opened in',
    case_id String,
    source_topic LowCardinality(String),
    incident_class LowCardinality(String),
    category LowCardinality(String),
    grid LowCardinality(String),
    department LowCardinality(String),
    reported Nullable(DateTime64(3, 'UTC')),
    accepted Nullable(DateTime64(3, 'UTC')),
    dispatched Nullable(DateTime64(3, 'UTC')),
    arrived Nullable(DateTime64(3, 'UTC')),
    resolved Nullable(DateTime64(3, 'UTC')),
    closed Nullable(DateTime64(3, 'UTC')),
    mediation UInt8 COMMENT 'highest mediation level tried: 0 none, 1 community, 2 town, 3 banner',
    tier LowCardinality(String),
    accept_limit_ms Nullable(UInt64) COMMENT 'limits of its tier, milliseconds; none: no limit',
    dispatch_limit_ms Nullable(UInt64),
    arrive_limit_ms Nullable(UInt64),
    resolve_limit_ms Nullable(UInt64),
    INDEX by_case case_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree PARTITION BY toYYYYMM(month) ORDER BY (mediation, department, grid)
COMMENT 'cases as v_response_cases tells them, written again month by month';

CREATE TABLE IF NOT EXISTS response_passes
(
    at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'the newest row counts',
    pass String COMMENT 'id of one writing of response_kept',
    began DateTime64(3, 'UTC') COMMENT 'what is kept counts only while nobody has held the store since',
    since DateTime64(3, 'UTC') COMMENT 'cases with rows inserted from here on are judged at the question',
    basis UInt64 COMMENT 'hash of the tiers and classes that it was judged by'
)
ENGINE = ReplacingMergeTree(at) ORDER BY tuple()
COMMENT 'up to when response_kept is whole';

CREATE OR REPLACE VIEW response_basis AS
SELECT cityHash64((SELECT argMax(config, set_at) FROM response_tiers),
                  (SELECT groupArray((incident_class, category)) FROM (SELECT * FROM classes FINAL ORDER BY incident_class))) AS basis;

CREATE OR REPLACE VIEW response_since AS
SELECT if(newest.4 = (SELECT basis FROM response_basis) AND newest.2 > (SELECT max(written_at) FROM holds),
          newest.3, toDateTime64(0, 3, 'UTC')) AS since, newest.1 AS pass
FROM (SELECT argMax((pass, began, since, basis), at) AS newest FROM response_passes);

CREATE OR REPLACE VIEW response_touched AS
SELECT case_id FROM cases WHERE stored_at >= (SELECT since FROM response_since);

CREATE OR REPLACE VIEW response_now AS
WITH (
    SELECT groupArray((tier, axis, selector, accept_ms, dispatch_ms, arrive_ms, resolve_ms))
    FROM (
        SELECT * FROM response_tiers FINAL
        WHERE config = (SELECT argMax(config, set_at) FROM response_tiers) ORDER BY position
    )
) AS rules,
(SELECT (groupArray(incident_class), groupArray(category)) FROM classes FINAL) AS known
SELECT month, case_id, source_topic, incident_class, category, grid, department, reported, accepted, dispatched, arrived, resolved,
       closed, mediation, toLowCardinality(rule.1) AS tier, rule.4 AS accept_limit_ms, rule.5 AS dispatch_limit_ms,
       rule.6 AS arrive_limit_ms, rule.7 AS resolve_limit_ms
FROM (
    SELECT toStartOfMonth(toDate(assumeNotNull(coalesce(c.reported, c.accepted, c.dispatched, c.arrived, c.resolved, c.closed)),
                                 '{time_zone}')) AS month,
           c.case_id AS case_id, c.source_topic AS source_topic, toLowCardinality(c.incident_class) AS incident_class,
           transform(incident_class, known.1, known.2, '') AS category, toLowCardinality(c.grid) AS grid,
           toLowCardinality(c.department) AS department, c.reported AS reported, c.accepted AS accepted, c.dispatched AS dispatched,
           c.arrived AS arrived, c.resolved AS resolved, c.closed AS closed, toUInt8(c.mediation) AS mediation,
           arrayFirst(rule -> multiIf(
               rule.3 = '', 1,
               rule.2 = 'place', startsWith(grid, rule.3),
               rule.2 = 'responder', startsWith(department, rule.3),
               incident_class = rule.3 OR category = rule.3), rules) AS rule
    FROM v_cases AS c
    WHERE ((SELECT since FROM response_since) = toDateTime64(0, 3, 'UTC') OR c.case_id IN (SELECT case_id FROM response_touched))
          AND coalesce(c.reported, c.accepted, c.dispatched, c.arrived, c.resolved, c.closed) IS NOT NULL
);

CREATE OR REPLACE VIEW v_response_cases AS
SELECT case_id, source_topic, incident_class, category, grid, substring(grid, 1, 12) AS community, substring(grid, 1, 9) AS town,
       substring(grid, 1, 6) AS banner, department, reported, accepted, dispatched, arrived, resolved, closed, mediation,
       assumeNotNull(coalesce(reported, accepted, dispatched, arrived, resolved, closed)) AS opened_at,
       toDate(opened_at, '{time_zone}') AS day, month, tier, accept_limit_ms, dispatch_limit_ms, arrive_limit_ms, resolve_limit_ms
FROM (
    SELECT * FROM response_kept
    WHERE (SELECT since FROM response_since) > toDateTime64(0, 3, 'UTC') AND case_id NOT IN (SELECT case_id FROM response_touched)
    UNION ALL
    SELECT * FROM response_now
);
