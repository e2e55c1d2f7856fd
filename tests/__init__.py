"""Tests: real Kafka, real ClickHouse (chDB), nothing skipped."""
