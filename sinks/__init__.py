"""Kafka to ClickHouse: one record of `citybrain.risk` is one insert under one token, then one row in the ledger."""
