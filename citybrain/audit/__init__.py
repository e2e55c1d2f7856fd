"""The audit: an independent reader of the raw log and of ClickHouse. It imports neither streams nor sinks."""

from citybrain.audit.report import AuditReport
from citybrain.audit.run import run_audit

__all__ = ["AuditReport", "run_audit"]
