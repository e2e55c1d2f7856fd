"""Contracts and shared words: models, taxonomy, places, topics, errors, metric definitions. No input or output."""
