-- What was stored in the last seconds is asked for once a second (view/live.py): parts and granules of older rows are left out.
ALTER TABLE events ADD INDEX IF NOT EXISTS by_stored_at stored_at TYPE minmax GRANULARITY 1;
