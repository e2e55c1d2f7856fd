-- Maintenance holds all loaders between two records (docs/decisions/0035). Times are the store's own clock.

CREATE TABLE IF NOT EXISTS holds
(
    hold_id String COMMENT 'one hold; its newest row counts',
    reason String COMMENT 'what is done under it',
    lasts_ms UInt32 COMMENT 'from written_at; 0 gives the loaders free',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'taken, kept up, or given back'
)
ENGINE = MergeTree ORDER BY (hold_id, written_at) TTL toDateTime(written_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'holds of maintenance over the loaders';

CREATE TABLE IF NOT EXISTS holds_seen
(
    hold_id String,
    member String COMMENT 'client id of a loader in its consumer group',
    seen_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree ORDER BY (hold_id, member) TTL toDateTime(seen_at) + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'loaders that wait because of a hold';
