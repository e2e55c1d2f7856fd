"""History into the store past Kafka: files or the simulated city, by the worker's core and the loader's writer (docs/decisions/0048)."""
