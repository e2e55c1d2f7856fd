-- Response figures from the life-cycles of cases, and what of them and of the counts may be published.
-- A step's time runs from the stage before it: accept from reported, dispatch from accepted, arrive from dispatched;
-- resolve runs from reported. All counts are additive; shares and intervals are the reader's (schemas/figures.py).

CREATE TABLE IF NOT EXISTS response_tiers
(
    config String COMMENT 'hash of the tiers as configured; the newest one counts',
    position UInt16 COMMENT 'rules are tried in this order',
    tier LowCardinality(String) COMMENT 'name of the response tier, as 1, 3 or 5',
    axis LowCardinality(String) COMMENT 'place, responder or urgency: what decides the tier',
    selector String COMMENT 'start of a grid code, start of a department''s name, or class or category; empty: all others',
    accept_ms Nullable(UInt64) COMMENT 'limit from reported to accepted, milliseconds; none: no limit',
    dispatch_ms Nullable(UInt64) COMMENT 'limit from accepted to dispatched, milliseconds',
    arrive_ms Nullable(UInt64) COMMENT 'limit from dispatched to arrived, milliseconds',
    resolve_ms Nullable(UInt64) COMMENT 'limit from reported to resolved, milliseconds',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when a loader or migrate last wrote it'
)
ENGINE = ReplacingMergeTree(set_at) ORDER BY (config, position)
COMMENT 'response tiers, from schemas/response.yaml or the file of the deployment';

CREATE OR REPLACE VIEW v_response_cases AS
WITH (
    SELECT groupArray((tier, axis, selector, accept_ms, dispatch_ms, arrive_ms, resolve_ms))
    FROM (
        SELECT * FROM response_tiers FINAL
        WHERE config = (SELECT argMax(config, set_at) FROM response_tiers) ORDER BY position
    )
) AS rules
SELECT * EXCEPT rule, rule.1 AS tier, rule.4 AS accept_limit_ms, rule.5 AS dispatch_limit_ms, rule.6 AS arrive_limit_ms,
       rule.7 AS resolve_limit_ms
FROM (
    SELECT c.case_id AS case_id, c.source_topic AS source_topic, c.incident_class AS incident_class, k.category AS category,
           c.grid AS grid, substring(c.grid, 1, 12) AS community, substring(c.grid, 1, 9) AS town, substring(c.grid, 1, 6) AS banner,
           c.department AS department, c.reported AS reported, c.accepted AS accepted, c.dispatched AS dispatched,
           c.arrived AS arrived, c.resolved AS resolved, c.closed AS closed, toUInt8(c.mediation) AS mediation,
           assumeNotNull(coalesce(c.reported, c.accepted, c.dispatched, c.arrived, c.resolved, c.closed)) AS opened_at,
           toDate(opened_at, '{time_zone}') AS day, toStartOfMonth(day) AS month,
           arrayFirst(rule -> multiIf(
               rule.3 = '', 1,
               rule.2 = 'place', startsWith(c.grid, rule.3),
               rule.2 = 'responder', startsWith(c.department, rule.3),
               c.incident_class = rule.3 OR k.category = rule.3), rules) AS rule
    FROM v_cases AS c LEFT JOIN (SELECT * FROM classes FINAL) AS k ON k.incident_class = c.incident_class
    WHERE coalesce(c.reported, c.accepted, c.dispatched, c.arrived, c.resolved, c.closed) IS NOT NULL
);

CREATE OR REPLACE VIEW v_response_steps AS
SELECT case_id, source_topic, incident_class, category, grid, community, town, banner, department, tier, opened_at, day, month,
       phase.1 AS step, phase.2 AS began, phase.3 AS ended, phase.4 AS limit_ms,
       began IS NOT NULL AS due, began IS NOT NULL AND ended IS NULL AS missing,
       began IS NULL AND ended IS NOT NULL OR ifNull(ended < began, 0) AS disordered,
       if(disordered, NULL, dateDiff('millisecond', began, ended)) AS took_ms,
       took_ms IS NOT NULL AND limit_ms IS NOT NULL AS judged, ifNull(took_ms <= limit_ms, 0) AS met,
       multiIf(
           took_ms IS NULL, '',
           step = 'accept', multiIf(took_ms <= 30000, '0-30 s', took_ms <= 60000, '30-60 s', took_ms <= 120000, '60-120 s',
                                    took_ms <= 180000, '120-180 s', '180+ s'),
           step = 'resolve', multiIf(took_ms <= 1800000, '0-30 min', took_ms <= 3600000, '30-60 min', took_ms <= 7200000, '1-2 h',
                                     took_ms <= 14400000, '2-4 h', '4+ h'),
           multiIf(took_ms <= 300000, '0-5 min', took_ms <= 600000, '5-10 min', took_ms <= 900000, '10-15 min',
                   took_ms <= 1800000, '15-30 min', '30+ min')) AS band
FROM (
    SELECT *, arrayJoin([('accept', reported, accepted, accept_limit_ms), ('dispatch', accepted, dispatched, dispatch_limit_ms),
                         ('arrive', dispatched, arrived, arrive_limit_ms), ('resolve', reported, resolved, resolve_limit_ms)]) AS phase
    FROM v_response_cases
)
WHERE phase.2 IS NOT NULL OR phase.3 IS NOT NULL;

CREATE OR REPLACE VIEW v_response_levels AS
SELECT month, place.1 AS level, place.2 AS area, step, sum(due) AS due, count(took_ms) AS n, sum(missing) AS missing,
       sum(disordered) AS disordered, sum(judged) AS judged, sum(met) AS met,
       quantileExactInclusiveOrNull(0.5)(took_ms) / 1000 AS p50_seconds, quantileExactInclusiveOrNull(0.9)(took_ms) / 1000 AS p90_seconds
FROM (
    SELECT *, arrayJoin([('banner', banner), ('town', town), ('community', community), ('grid', grid)]) AS place
    FROM v_response_steps
)
GROUP BY month, level, area, step;

CREATE OR REPLACE VIEW v_response_departments AS
SELECT month, department, step, sum(due) AS due, count(took_ms) AS n, sum(missing) AS missing,
       sum(disordered) AS disordered, sum(judged) AS judged, sum(met) AS met,
       quantileExactInclusiveOrNull(0.5)(took_ms) / 1000 AS p50_seconds, quantileExactInclusiveOrNull(0.9)(took_ms) / 1000 AS p90_seconds
FROM v_response_steps GROUP BY month, department, step;

CREATE OR REPLACE VIEW v_response_tiers AS
SELECT month, tier, step, any(limit_ms) / 1000 AS limit_seconds, sum(due) AS due, count(took_ms) AS n, sum(missing) AS missing,
       sum(disordered) AS disordered, sum(judged) AS judged, sum(met) AS met,
       quantileExactInclusiveOrNull(0.5)(took_ms) / 1000 AS p50_seconds, quantileExactInclusiveOrNull(0.9)(took_ms) / 1000 AS p90_seconds
FROM v_response_steps GROUP BY month, tier, step;

CREATE OR REPLACE VIEW v_response_bands AS
SELECT month, banner, department, step, band, count() AS cases FROM v_response_steps WHERE band != ''
GROUP BY month, banner, department, step, band;

CREATE OR REPLACE VIEW v_mediation AS
SELECT month, banner, town, community, department, ['community', 'town', 'banner'][mediation] AS mediation_level,
       count() AS disputes, countIf(resolved IS NOT NULL) AS settled, countIf(resolved IS NULL AND closed IS NOT NULL) AS failed,
       countIf(resolved IS NULL AND closed IS NULL) AS pending
FROM v_response_cases WHERE mediation > 0
GROUP BY month, banner, town, community, department, mediation_level;

CREATE OR REPLACE VIEW v_incidents_change AS
WITH assumeNotNull((SELECT min(day) FROM counts_day)) AS first_day, assumeNotNull((SELECT max(day) - 1 FROM counts_day)) AS last_day
SELECT addMonths(toStartOfMonth(d.day), d.shift) AS month, d.place.1 AS level, d.place.2 AS area, d.category AS category,
       toInt64(least(toLastDayOfMonth(month), last_day) - month + 1) AS days,
       if(addMonths(month, -1) < first_day, NULL, toInt64(if(last_day < toLastDayOfMonth(month),
           least(days, toDayOfMonth(month - 1)), toDayOfMonth(month - 1)))) AS days_previous,
       if(addMonths(month, -12) < first_day, NULL, toInt64(if(last_day < toLastDayOfMonth(month),
           least(days, toDayOfMonth(toLastDayOfMonth(addMonths(month, -12)))), toDayOfMonth(toLastDayOfMonth(addMonths(month, -12)))))) AS days_last_year,
       sumIf(d.incidents, shift = 0) AS incidents,
       if(days_previous IS NULL, NULL, sumIf(d.incidents, shift = 1)) AS previous,
       if(days_last_year IS NULL, NULL, sumIf(d.incidents, shift = 12)) AS last_year,
       (toInt64(incidents) - previous) / nullIf(previous, 0) AS month_change,
       (toInt64(incidents) - last_year) / nullIf(last_year, 0) AS year_change
FROM (
    SELECT *, arrayJoin([0, 1, 12]) AS shift,
           arrayJoin([('banner', banner), ('town', town), ('community', community), ('grid', CAST(grid, 'String'))]) AS place
    FROM v_counts_day
) AS d
WHERE d.day <= last_day AND month <= last_day
      AND (shift = 0 OR last_day >= toLastDayOfMonth(month) OR toDayOfMonth(d.day) <= toDayOfMonth(last_day))
GROUP BY month, level, area, category;
