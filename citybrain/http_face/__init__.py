"""ClickHouse's HTTP protocol over an embedded chDB, so that several processes on one machine share a store (docs/decisions/0039)."""
