"""The same job done by others, on the same topics: each in an environment of its own (`locks/`), one module a peer.

The job (`job.py`): read a CloudEvent, validate it, classify its text by a small lexicon, store a row, count per minute,
category and grid. That is less than City brain does: no location, no sixty classes, no redaction, no ledger, no rejects.
"""
