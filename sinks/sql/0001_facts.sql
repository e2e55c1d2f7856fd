-- Facts: one row per accepted event, one per reject, one per stored record of citybrain.risk (the ledger).
-- The deduplication windows are what makes a repeated insert a no-op; the loader refuses to start without them.

CREATE TABLE IF NOT EXISTS events
(
    kind LowCardinality(String) COMMENT 'sensor, police or grid',
    source LowCardinality(String) COMMENT 'CloudEvents source, a URI reference',
    id String COMMENT 'CloudEvents id, unique within its source',
    at DateTime64(3, 'UTC') COMMENT 'when it happened, by the source',
    received_at DateTime64(3, 'UTC') COMMENT 'when Kafka appended the record',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it was inserted here',
    category LowCardinality(String) COMMENT 'risk category id',
    incident_class LowCardinality(String) COMMENT 'incident class code, U00 when no rule matched',
    classified_by LowCardinality(String) COMMENT 'source, code, limits, terms or none',
    evidence LowCardinality(String) COMMENT 'the code, limit or terms that decided',
    rules_version LowCardinality(String) COMMENT 'version of the rules that decided',
    grid LowCardinality(String) COMMENT '15-digit unit grid code, empty when not located',
    located_by LowCardinality(String) COMMENT 'coordinates, grid, place, outside or none',
    lon Nullable(Float64) COMMENT 'WGS-84, degrees',
    lat Nullable(Float64) COMMENT 'WGS-84, degrees',
    code LowCardinality(String) COMMENT 'the source''s own code or type',
    severity Nullable(Int8) COMMENT '0 information to 4 extreme, by the source',
    department LowCardinality(String) COMMENT 'department in charge, by the source',
    case_id String COMMENT 'case this event belongs to, empty for none',
    stage LowCardinality(String) COMMENT 'reported, accepted, dispatched, arrived, resolved, closed, or empty',
    mediation_level LowCardinality(String) COMMENT 'community, town, banner, or empty',
    device LowCardinality(String) COMMENT 'sensor device, empty for none',
    status LowCardinality(String) COMMENT 'online, offline, fault, or empty',
    metrics Array(LowCardinality(String)) COMMENT 'metric of each reading',
    values Array(Float64) COMMENT 'value of each reading, same order as metrics',
    text Nullable(String) COMMENT 'free text, only where the deployment keeps it',
    body_hash UInt64 COMMENT 'hash of the record as sent',
    event_key UInt64 MATERIALIZED xxh3(concat(source, '\n', id)) COMMENT 'screen for repeated events',
    source_topic LowCardinality(String) COMMENT 'raw topic',
    source_topic_id LowCardinality(String) COMMENT 'UUID of the raw topic: a re-created topic starts a new life',
    source_partition UInt16,
    source_offset UInt64,
    risk_topic_id LowCardinality(String) COMMENT 'UUID of citybrain.risk',
    risk_partition UInt16,
    risk_offset UInt64,
    INDEX by_source_offset source_offset TYPE minmax GRANULARITY 1,
    INDEX by_risk_offset risk_offset TYPE minmax GRANULARITY 1,
    INDEX by_case case_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (incident_class, grid, at)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'accepted events, one row each';

CREATE TABLE IF NOT EXISTS rejected
(
    reason LowCardinality(String) COMMENT 'why, a name of schemas.reasons',
    detail String COMMENT 'what was got and wanted, and where in the record',
    body String COMMENT 'the record without person fields, empty when it was not JSON, cut at 64 KiB',
    length UInt64 COMMENT 'bytes of the record as sent',
    sha256 String COMMENT 'SHA-256 of the record as sent, hex',
    received_at DateTime64(3, 'UTC'),
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
    source_topic LowCardinality(String),
    source_topic_id LowCardinality(String),
    source_partition UInt16,
    source_offset UInt64,
    risk_topic_id LowCardinality(String),
    risk_partition UInt16,
    risk_offset UInt64
)
ENGINE = MergeTree PARTITION BY toYYYYMM(received_at) ORDER BY (reason, source_topic, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'records that could not be accepted: the dead-letter queue';

CREATE TABLE IF NOT EXISTS blocks
(
    risk_topic_id LowCardinality(String) COMMENT 'UUID of citybrain.risk',
    risk_partition UInt16,
    risk_offset UInt64,
    source_topic LowCardinality(String),
    source_topic_id LowCardinality(String),
    source_partition UInt16,
    first_offset UInt64 COMMENT 'first source offset this record covers',
    last_offset UInt64 COMMENT 'last source offset this record covers',
    stored UInt32 COMMENT 'rows that went to events',
    rejected UInt32 COMMENT 'rows that went to rejected',
    repeated UInt32 COMMENT 'rows dropped: same source and id stored before, same body',
    conflict UInt32 COMMENT 'rows dropped: same source and id stored before, other body',
    redelivered UInt32 COMMENT 'rows dropped: their source offset was covered before',
    schema_version UInt16,
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree ORDER BY (risk_topic_id, risk_partition, risk_offset)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'the ledger: one row per stored record of citybrain.risk';
