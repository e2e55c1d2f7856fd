"""Errors shared by every part: each says what happened and whether to try again."""

from __future__ import annotations


class CitybrainError(Exception):
    """Base of every error of ours. `retryable` tells the caller whether the same call may be repeated."""

    retryable = False


class BadSettings(CitybrainError):
    """A setting is misspelt, missing or impossible. Nothing was started."""


class StoreUnavailable(CitybrainError):
    """The store did not confirm a write. It may be partly written; writing it again is safe (token)."""

    retryable = True

    def __init__(self, table: str, rows: int, cause: str = "") -> None:
        super().__init__(table, rows, cause)
        self.table, self.rows, self.cause = table, rows, cause

    def __str__(self) -> str:
        if not self.rows:
            return f"{self.table}: {self.cause or 'no answer'}"
        return f"{self.table}: {self.rows} rows not confirmed ({self.cause or 'no answer'}); the same rows will be sent again"


class StoreRefused(CitybrainError):
    """The store will never take this write as it is (schema, rights). The partition stops until a person acts."""

    def __init__(self, table: str, cause: str) -> None:
        super().__init__(table, cause)
        self.table, self.cause = table, cause

    def __str__(self) -> str:
        return f"{self.table}: refused for ever: {self.cause}; fix the store (`citybrain check` names what differs), then start again"


class StoreUnsafe(CitybrainError):
    """The store is not set up for exactly-once writes. The loader refuses to run."""


class LogTruncated(CitybrainError):
    """The log no longer holds the record the ledger says comes next: retention passed before it was stored."""

    def __init__(self, topic: str, partition: int, wanted: int, first: int) -> None:
        super().__init__(topic, partition, wanted, first)
        self.topic, self.partition, self.wanted, self.first = topic, partition, wanted, first

    def __str__(self) -> str:
        return (
            f"{self.topic}[{self.partition}]: next record to store is offset {self.wanted}, but the log starts at {self.first}; "
            f"{self.first - self.wanted} records are gone. Start `citybrain load --skip-gone` once, then fill the holes from the raw "
            "topics by `citybrain reread`; `citybrain audit` shows what is missing"
        )


class RecordsGone(CitybrainError):
    """Retention removed raw records before a worker read them. Nothing is skipped in silence."""

    def __init__(self, topic: str, partition: int, wanted: int, first: int) -> None:
        super().__init__(topic, partition, wanted, first)
        self.topic, self.partition, self.wanted, self.first = topic, partition, wanted, first

    def __str__(self) -> str:
        return (
            f"{self.topic}[{self.partition}]: the next record to read is offset {self.wanted}, but the log starts at {self.first}; "
            f"{self.first - self.wanted} records are gone before they were read. Start `citybrain work --skip-gone` once to go on "
            "without them; the ledger keeps the hole, and `citybrain status` shows it"
        )


class BrokerUnavailable(CitybrainError):
    """Kafka does not answer or did not confirm."""

    retryable = True


class BadMapping(CitybrainError):
    """A replay mapping or a source file is not what the mapping says."""


class BadModel(CitybrainError):
    """A text model's file is missing, broken, of another form, or not what its hash says. It is not used."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where, self.why = where, why

    def __str__(self) -> str:
        return f"{self.where}: {self.why}; train it again or take an unbroken copy"


class BadCatalogue(CitybrainError):
    """A catalogue folder does not hold what a catalogue holds. Each line names file, entry, what was got and wanted."""


class BadTraining(CitybrainError):
    """Texts and labels from which nothing can be learned."""


class BadBlock(CitybrainError):
    """A record of `citybrain.risk` cannot be read as a block. Only a defect of ours can cause this."""


class BadAlert(CitybrainError):
    """A record of `citybrain.alerts` is neither an alert nor an action. `reason` is one of schemas.reasons."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
