"""The outside world to Kafka: file replay by mappings, and the simulated city."""
