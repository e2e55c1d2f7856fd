"""Logs: text for people, JSON for machines, to standard error."""

from __future__ import annotations

import logging
import sys

import structlog

from citybrain.log_repeats import RepeatFilter
from citybrain.settings import Log


def set_up_logs(log: Log) -> None:
    """Route the standard library's logging and structlog through one renderer."""
    as_json = log.format == "json" or (log.format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    final: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        final.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*final, renderer]))
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
    for noisy in ("kafka", "aiokafka", "faust", "mode", "asyncio", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of every tenth of a second that a busy machine takes away.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
    # It cannot read what Faust tells its own group, and nobody asks it to.
    logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)
    # Each refused connection is told four times; the error that follows is ours and says what to do.
    for told in ("kafka.net.manager", "kafka.net.connection"):
        logging.getLogger(told).setLevel(logging.CRITICAL)
