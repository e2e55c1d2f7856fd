-- The catalogue's scenarios and classes of information, for dashboards: what is configured now, and counts by scenario.

ALTER TABLE classes MODIFY COMMENT 'the taxonomy, from schemas/catalogue/incident_classes.yaml';

CREATE TABLE IF NOT EXISTS scenarios
(
    config String COMMENT 'hash of the scenarios as configured; the newest one counts',
    position UInt16 COMMENT 'place in the catalogue',
    scenario LowCardinality(String) COMMENT 'id of an application scenario (docs/catalogue.md)',
    zh String COMMENT 'name in Chinese',
    en String COMMENT 'name in English',
    incident_classes Array(String) COMMENT 'classes whose incidents the scenario counts',
    information_classes Array(String) COMMENT 'classes of information it selects',
    levels Array(String) COMMENT 'levels of areas it shows: grid, community, town, banner',
    areas Array(String) COMMENT 'prefixes of grid codes it looks at; empty: the whole city',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when a loader or migrate last wrote it'
)
ENGINE = ReplacingMergeTree(set_at) ORDER BY (config, position)
COMMENT 'application scenarios, from the catalogue';

CREATE TABLE IF NOT EXISTS information_classes
(
    config String COMMENT 'hash of the classes as configured; the newest one counts',
    information_class String COMMENT 'kind and name, as sensor.ch4_lel (docs/catalogue.md)',
    kind LowCardinality(String) COMMENT 'sensor, police, grid, service, inspection or mediation',
    zh String COMMENT 'name in Chinese',
    en String COMMENT 'name in English',
    topic LowCardinality(String) COMMENT 'group of classes within a kind',
    department LowCardinality(String) COMMENT 'department that answers, by its id in the catalogue',
    incident_class LowCardinality(String) COMMENT 'risk class; empty for what is no risk by itself',
    tier LowCardinality(String) COMMENT 'response tier of the catalogue',
    retention_days UInt16 COMMENT 'how long records are to be kept',
    privacy LowCardinality(String) COMMENT 'open, internal or sensitive',
    source LowCardinality(String) COMMENT 'where the class comes from; own: this project',
    metric LowCardinality(String) COMMENT 'metric of a sensor class, else empty',
    unit LowCardinality(String) COMMENT 'unit of the metric',
    lowest Nullable(Float64) COMMENT 'least value a working instrument tells',
    highest Nullable(Float64) COMMENT 'largest value a working instrument tells',
    attention_below Nullable(Float64) COMMENT 'a reading below it is worth a look',
    attention_above Nullable(Float64) COMMENT 'a reading above it is worth a look',
    alarm_below Nullable(Float64) COMMENT 'a reading below it makes an event of the incident class',
    alarm_above Nullable(Float64) COMMENT 'a reading above it makes an event of the incident class',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when a loader or migrate last wrote it'
)
ENGINE = ReplacingMergeTree(set_at) ORDER BY (config, information_class)
COMMENT 'classes of information, from the catalogue';

CREATE OR REPLACE VIEW v_scenarios AS
SELECT position, scenario, zh, en, incident_classes, information_classes, levels, areas
FROM scenarios FINAL WHERE config = (SELECT argMax(config, set_at) FROM scenarios);

CREATE OR REPLACE VIEW v_information_classes AS
SELECT * EXCEPT (config, set_at)
FROM information_classes FINAL WHERE config = (SELECT argMax(config, set_at) FROM information_classes);

CREATE OR REPLACE VIEW v_scenarios_hour AS
SELECT c.hour AS hour, s.scenario AS scenario, c.grid AS grid, c.community AS community, c.town AS town, c.banner AS banner,
       sum(c.events) AS events, sum(c.incidents) AS incidents
FROM v_counts_hour AS c
INNER JOIN (SELECT scenario, areas, arrayJoin(incident_classes) AS incident_class FROM v_scenarios) AS s USING (incident_class)
WHERE empty(s.areas) OR arrayExists(area -> startsWith(c.grid, area), s.areas)
GROUP BY hour, scenario, grid, community, town, banner;

CREATE OR REPLACE VIEW v_scenarios_day AS
SELECT c.day AS day, s.scenario AS scenario, c.grid AS grid, c.community AS community, c.town AS town, c.banner AS banner,
       sum(c.events) AS events, sum(c.incidents) AS incidents
FROM v_counts_day AS c
INNER JOIN (SELECT scenario, areas, arrayJoin(incident_classes) AS incident_class FROM v_scenarios) AS s USING (incident_class)
WHERE empty(s.areas) OR arrayExists(area -> startsWith(c.grid, area), s.areas)
GROUP BY day, scenario, grid, community, town, banner;
