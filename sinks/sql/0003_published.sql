-- Published, stable SQL views: what dashboards and reports read. Tables above may change, these may only grow.

CREATE TABLE IF NOT EXISTS areas
(
    level LowCardinality(String) COMMENT 'banner, town, community or grid',
    code String COMMENT 'prefix of the 15-digit grid code',
    name String
)
ENGINE = ReplacingMergeTree ORDER BY (level, code)
COMMENT 'places of the city, from its places file';

CREATE TABLE IF NOT EXISTS classes
(
    incident_class String,
    category String,
    zh String,
    en String
)
ENGINE = ReplacingMergeTree ORDER BY incident_class
COMMENT 'the taxonomy, from schemas/taxonomy.yaml';

CREATE OR REPLACE VIEW v_counts_hour AS
SELECT toStartOfHour(m.minute) AS hour, m.grid AS grid, substring(m.grid, 1, 12) AS community, substring(m.grid, 1, 9) AS town,
       substring(m.grid, 1, 6) AS banner, c.category AS category, m.incident_class AS incident_class, m.kind AS kind,
       sum(m.events) AS events, sum(m.incidents) AS incidents
FROM counts_minute AS m LEFT JOIN (SELECT * FROM classes FINAL) AS c ON c.incident_class = m.incident_class
GROUP BY hour, grid, community, town, banner, category, incident_class, kind;

CREATE OR REPLACE VIEW v_counts_day AS
SELECT d.day AS day, d.grid AS grid, substring(d.grid, 1, 12) AS community, substring(d.grid, 1, 9) AS town,
       substring(d.grid, 1, 6) AS banner, c.category AS category, d.incident_class AS incident_class, d.kind AS kind,
       sum(d.events) AS events, sum(d.incidents) AS incidents
FROM counts_day AS d LEFT JOIN (SELECT * FROM classes FINAL) AS c ON c.incident_class = d.incident_class
GROUP BY day, grid, community, town, banner, category, incident_class, kind;

CREATE OR REPLACE VIEW v_cases AS
SELECT case_id, source_topic, argMinMerge(opened) AS first_event, first_event.1 AS incident_class, first_event.2 AS grid,
       first_event.3 AS department, min(reported_at) AS reported, min(accepted_at) AS accepted, min(dispatched_at) AS dispatched,
       min(arrived_at) AS arrived, min(resolved_at) AS resolved, min(closed_at) AS closed,
       max(mediation_rank) AS mediation, sum(events) AS case_events
FROM cases GROUP BY case_id, source_topic;

CREATE OR REPLACE VIEW v_sensor_hour AS
SELECT hour, device, metric, grid, sum(n) AS readings, toFloat64(sum(total)) / sum(n) AS mean, min(low) AS lowest, max(high) AS highest
FROM sensor_rollup GROUP BY hour, device, metric, grid;

CREATE OR REPLACE VIEW v_rejected AS
SELECT reason, source_topic, toDate(received_at) AS day, count() AS records
FROM rejected GROUP BY reason, source_topic, day;
