-- What is published is taken at a moment (docs/decisions/0065): the views read rows that a loader writes once in some minutes.
-- Before the first time there are none.

CREATE OR REPLACE VIEW public_incidents_now AS
SELECT c.period AS week, c.level AS level, c.area AS area, a.name AS name, c.item AS category, c.shown AS incidents, c.hidden AS hidden
FROM (SELECT * FROM v_public_cells WHERE measure = 'incidents') AS c
LEFT JOIN (SELECT level, code, name FROM areas FINAL) AS a ON a.level = c.level AND a.code = c.area;

CREATE OR REPLACE VIEW public_response_now AS
SELECT c.period AS month, c.level AS level, c.area AS area, if(c.level = 'department', c.area, a.name) AS name, c.item AS step,
       c.shown AS n, c.hidden AS hidden, if(c.hidden OR f.judged < 5, NULL, round(f.met / f.judged, 2)) AS share,
       if(c.hidden, NULL, round(f.p50_seconds)) AS p50_seconds, if(c.hidden, NULL, round(f.p90_seconds)) AS p90_seconds
FROM (SELECT * FROM v_public_cells WHERE measure = 'response') AS c
LEFT JOIN (
    SELECT month, level, area, step, judged, met, p50_seconds, p90_seconds FROM v_response_levels
    UNION ALL
    SELECT month, 'department' AS level, department AS area, step, judged, met, p50_seconds, p90_seconds FROM v_response_departments
) AS f ON f.month = c.period AND f.level = c.level AND f.area = c.area AND f.step = c.item
LEFT JOIN (SELECT level, code, name FROM areas FINAL) AS a ON a.level = c.level AND a.code = c.area;

CREATE TABLE IF NOT EXISTS public_incidents
(
    week Date,
    level LowCardinality(String),
    area LowCardinality(String),
    name LowCardinality(String),
    category LowCardinality(String),
    incidents Nullable(Int64),
    hidden UInt8
)
ENGINE = MergeTree ORDER BY (level, area, week)
COMMENT 'public_incidents_now, taken at a moment';

CREATE TABLE IF NOT EXISTS public_response
(
    month Date,
    level LowCardinality(String),
    area LowCardinality(String),
    name LowCardinality(String),
    step LowCardinality(String),
    n Nullable(Int64),
    hidden UInt8,
    share Nullable(Float64),
    p50_seconds Nullable(Float64),
    p90_seconds Nullable(Float64)
)
ENGINE = MergeTree ORDER BY (level, area, month)
COMMENT 'public_response_now, taken at a moment';

CREATE OR REPLACE VIEW v_public_incidents AS
SELECT week, level, area, name, category, incidents, hidden FROM public_incidents;

CREATE OR REPLACE VIEW v_public_response AS
SELECT month, level, area, name, step, n, hidden, share, p50_seconds, p90_seconds FROM public_response;
