-- History that was labelled again: one row when a run begins to change the store, one when it is done (docs/decisions/0025).

CREATE TABLE IF NOT EXISTS reclassifications
(
    run String COMMENT 'id of the run',
    step LowCardinality(String) COMMENT 'begun or done; begun without done: the next holder of the store finishes it',
    at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when, by the clock of the store',
    rules_version LowCardinality(String) COMMENT 'version of the rules that the events were labelled by',
    relabelled UInt64 COMMENT 'events that got another class, reason or version',
    changed UInt64 COMMENT 'of them, events that got another class',
    kept UInt64 COMMENT 'events that keep their label: past retention, and their text was not kept'
)
ENGINE = MergeTree ORDER BY (at, run, step)
COMMENT 'the audit trail of `citybrain reclassify`';
