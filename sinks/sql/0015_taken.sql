-- Figures of months for the city's dashboard are taken when it is published (docs/decisions/0069): planning their views alone
-- takes 45 to 100 ms, whatever they read.

CREATE TABLE IF NOT EXISTS response_tiers_taken ENGINE = MergeTree ORDER BY month
EMPTY AS SELECT * FROM v_response_tiers COMMENT 'v_response_tiers, taken at a moment';

CREATE TABLE IF NOT EXISTS response_bands_taken ENGINE = MergeTree ORDER BY month
EMPTY AS SELECT * FROM v_response_bands COMMENT 'v_response_bands, taken at a moment';

CREATE TABLE IF NOT EXISTS mediation_taken ENGINE = MergeTree ORDER BY month
EMPTY AS SELECT * FROM v_mediation COMMENT 'v_mediation, taken at a moment';

CREATE TABLE IF NOT EXISTS incidents_change_taken ENGINE = MergeTree ORDER BY month
EMPTY AS SELECT * FROM v_incidents_change COMMENT 'v_incidents_change of banners, taken at a moment';
