"""End the process where going on would lose records or do nothing for ever. What it held, Kafka sends again."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any, Final, NoReturn

log = logging.getLogger(__name__)

LEFT_ON_ERROR: Final = 70
"""Exit code; whatever started the process starts it again."""


def leave(why: str, error: BaseException) -> NoReturn:
    """Say why, and end without acknowledging anything."""
    log.critical("%s", why, exc_info=error)
    logging.shutdown()
    os._exit(LEFT_ON_ERROR)


def leave_when_failed(task: asyncio.Task[Any]) -> None:
    """To be told when a task of a client is done: one that failed will never come back."""
    if not task.cancelled() and (error := task.exception()) is not None:
        leave(f"{task.get_name()} of the Kafka client has failed; leaving, to begin again", error)
