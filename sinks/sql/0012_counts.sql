-- Counts of three years in milliseconds (docs/decisions/0063): day and month are kept summed beside their rows, as projections,
-- and the views over counts sum nothing themselves. What is the same day, grid and class may stand in several of their rows.

ALTER TABLE counts_day MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE counts_day ADD PROJECTION IF NOT EXISTS by_month
(
    SELECT toStartOfMonth(day), grid, incident_class, sum(events), sum(incidents)
    GROUP BY toStartOfMonth(day), grid, incident_class
);

ALTER TABLE counts_day ADD PROJECTION IF NOT EXISTS by_day
(
    SELECT day, substring(grid, 1, 6), incident_class, sum(events), sum(incidents)
    GROUP BY day, substring(grid, 1, 6), incident_class
);

ALTER TABLE counts_day MATERIALIZE PROJECTION by_month;

ALTER TABLE counts_day MATERIALIZE PROJECTION by_day;

CREATE OR REPLACE VIEW v_counts_hour AS
WITH (SELECT (groupArray(incident_class), groupArray(category)) FROM classes FINAL) AS known
SELECT toStartOfHour(m.minute) AS hour, m.grid AS grid, substring(m.grid, 1, 12) AS community, substring(m.grid, 1, 9) AS town,
       substring(m.grid, 1, 6) AS banner, transform(m.incident_class, known.1, known.2, '') AS category,
       m.incident_class AS incident_class, m.kind AS kind, m.events AS events, m.incidents AS incidents
FROM counts_minute AS m;

CREATE OR REPLACE VIEW v_counts_day AS
WITH (SELECT (groupArray(incident_class), groupArray(category)) FROM classes FINAL) AS known
SELECT d.day AS day, d.grid AS grid, substring(d.grid, 1, 12) AS community, substring(d.grid, 1, 9) AS town,
       substring(d.grid, 1, 6) AS banner, transform(d.incident_class, known.1, known.2, '') AS category,
       d.incident_class AS incident_class, d.kind AS kind, d.events AS events, d.incidents AS incidents
FROM counts_day AS d;

CREATE OR REPLACE VIEW v_counts_month AS
WITH (SELECT (groupArray(incident_class), groupArray(category)) FROM classes FINAL) AS known
SELECT toStartOfMonth(d.day) AS month, d.grid AS grid, substring(d.grid, 1, 12) AS community, substring(d.grid, 1, 9) AS town,
       substring(d.grid, 1, 6) AS banner, transform(d.incident_class, known.1, known.2, '') AS category,
       d.incident_class AS incident_class, d.events AS events, d.incidents AS incidents
FROM counts_day AS d;

-- A branch for each level: the engine leaves out those that are not asked for, and reads the banner's from by_day.
CREATE OR REPLACE VIEW v_incidents_change AS
WITH assumeNotNull((SELECT min(day) FROM counts_day)) AS first_day, assumeNotNull((SELECT max(day) - 1 FROM counts_day)) AS last_day
SELECT addMonths(d.source, shift) AS month, d.level AS level, d.area AS area, c.category AS category,
       toInt64(least(toLastDayOfMonth(month), last_day) - month + 1) AS days,
       if(addMonths(month, -1) < first_day, NULL, toInt64(if(last_day < toLastDayOfMonth(month),
           least(days, toDayOfMonth(month - 1)), toDayOfMonth(month - 1)))) AS days_previous,
       if(addMonths(month, -12) < first_day, NULL, toInt64(if(last_day < toLastDayOfMonth(month),
           least(days, toDayOfMonth(toLastDayOfMonth(addMonths(month, -12)))), toDayOfMonth(toLastDayOfMonth(addMonths(month, -12)))))) AS days_last_year,
       sumIf(d.n, shift = 0) AS incidents,
       if(days_previous IS NULL, NULL, sumIf(d.n, shift = 1)) AS previous,
       if(days_last_year IS NULL, NULL, sumIf(d.n, shift = 12)) AS last_year,
       (toInt64(incidents) - previous) / nullIf(previous, 0) AS month_change,
       (toInt64(incidents) - last_year) / nullIf(last_year, 0) AS year_change
FROM (
    SELECT 'banner' AS level, CAST(substring(grid, 1, 6), 'String') AS area, incident_class, toStartOfMonth(day) AS source,
           toDayOfMonth(day) <= toDayOfMonth(last_day) AS early, sum(incidents) AS n
    FROM counts_day WHERE day <= last_day GROUP BY area, incident_class, source, early
    UNION ALL
    SELECT 'town' AS level, CAST(substring(grid, 1, 9), 'String') AS area, incident_class, toStartOfMonth(day) AS source,
           toDayOfMonth(day) <= toDayOfMonth(last_day) AS early, sum(incidents) AS n
    FROM counts_day WHERE day <= last_day GROUP BY area, incident_class, source, early
    UNION ALL
    SELECT 'community' AS level, CAST(substring(grid, 1, 12), 'String') AS area, incident_class, toStartOfMonth(day) AS source,
           toDayOfMonth(day) <= toDayOfMonth(last_day) AS early, sum(incidents) AS n
    FROM counts_day WHERE day <= last_day GROUP BY area, incident_class, source, early
    UNION ALL
    SELECT 'grid' AS level, CAST(grid, 'String') AS area, incident_class, toStartOfMonth(day) AS source,
           toDayOfMonth(day) <= toDayOfMonth(last_day) AS early, sum(incidents) AS n
    FROM counts_day WHERE day <= last_day GROUP BY area, incident_class, source, early
) AS d LEFT JOIN (SELECT * FROM classes FINAL) AS c ON c.incident_class = d.incident_class
ARRAY JOIN [0, 1, 12] AS shift
WHERE month <= last_day AND (shift = 0 OR last_day >= toLastDayOfMonth(month) OR d.early)
GROUP BY month, level, area, category;
