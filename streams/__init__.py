"""Kafka to Kafka: validate, locate, classify, redact; one Arrow block per batch of one source partition."""
