"""The rules in force, with a trained model that may be replaced while the worker runs (docs/decisions/0024).

A model's file that is put in the place of another is used from the next block on. One that cannot be read, or whose
labels are no classes, is refused: what was in force stays, the refusal is logged and counted.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from schemas import metrics
from schemas.errors import BadModel
from schemas.taxonomy import taxonomy
from schemas.text_model import TextModel
from streams.model_file import read_model
from streams.rules import Rules, shipped_rules
from streams.scorer import Scorer

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]


class LiveRules:
    """The shipped rules, or those with the model in `path`. BadModel when the file is bad at the start."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._rules = shipped_rules()
        self._seen: Stamp | None = None
        if path is not None:
            self._seen = _stamp(path)
            self._rules = with_model(read_model(path), path)

    def now(self) -> Rules:
        """The rules for the next block. Looks at the file's inode, size and time, and reads it only when they changed."""
        if self._path is None:
            return self._rules
        with self._lock:
            stamp = _stamp(self._path)
            if stamp != self._seen:
                self._seen = stamp
                self._reload(self._path)
            return self._rules

    def _reload(self, path: Path) -> None:
        try:
            self._rules = with_model(read_model(path), path)
        except BadModel as error:
            metrics.MODEL_RELOADS.labels("refused").inc()
            log.error("%s; rules %s stay in force", error, self._rules.version)  # noqa: TRY400 - the message says all
        else:
            metrics.MODEL_RELOADS.labels("loaded").inc()
            log.info("rules %s are in force", self._rules.version)


def with_model(model: TextModel, path: Path) -> Rules:
    """The shipped rules with a trained model before their terms. BadModel for labels that are no incident classes."""
    strange = sorted(set(model.labels) - set(taxonomy().classes))
    if strange:
        raise BadModel(
            str(path), f"labels {', '.join(strange[:3])} are no incident classes, as `citybrain train --map` makes them"
        )
    rules = shipped_rules()
    try:
        scorer = Scorer(model)
    except ValueError as error:
        raise BadModel(str(path), str(error)) from error
    return rules._replace(version=f"{rules.version}+{model.version}", trained=scorer)


def _stamp(path: Path) -> Stamp | None:
    """None when there is no file: it may be in the middle of being replaced by a copy."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
