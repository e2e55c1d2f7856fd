"""What client libraries say again and again is told now and then, with how often."""

from __future__ import annotations

import logging

from citybrain.log_repeats import EVERY_SECONDS, MOST_KINDS, RepeatFilter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def record(name: str, message: str, *values: object, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, message, values, None)


def test_a_complaint_is_told_once_in_half_a_minute_with_how_often_it_came() -> None:
    clock = Clock()
    kept = RepeatFilter(clock)
    assert kept.filter(record("aiokafka.conn", "no node %d", 1))
    assert not any(kept.filter(record("aiokafka.conn", "no node %d", n)) for n in range(300))

    clock.now += EVERY_SECONDS
    again = record("aiokafka.conn", "no node %d", 7)
    assert kept.filter(again)
    assert again.getMessage() == "no node 7 (and 300 more like it in 30 s)"

    clock.now += EVERY_SECONDS
    alone = record("aiokafka.conn", "no node %d", 8)
    assert kept.filter(alone)
    assert alone.getMessage() == "no node 8"


def test_texts_that_differ_in_numbers_alone_are_one_complaint() -> None:
    kept = RepeatFilter(Clock())
    assert kept.filter(record("kafka.cluster", "port 9092 refused after 12 ms"))
    assert not kept.filter(record("kafka.cluster", "port 9093 refused after 7 ms"))


def test_another_text_another_logger_and_another_level_are_told() -> None:
    kept = RepeatFilter(Clock())
    assert kept.filter(record("kafka.cluster", "refused"))
    assert kept.filter(record("kafka.cluster", "gone"))
    assert kept.filter(record("kafka.coordinator", "refused"))
    assert kept.filter(record("kafka.cluster", "refused", level=logging.WARNING))


def test_what_we_say_is_never_held_back() -> None:
    kept = RepeatFilter(Clock())
    assert all(kept.filter(record("sinks.loader", "stored")) for _ in range(3))
    assert all(kept.filter(record("kafkaesque", "stored")) for _ in range(3))


def test_what_is_remembered_stays_small() -> None:
    kept = RepeatFilter(Clock())
    for number in range(3 * MOST_KINDS):
        assert kept.filter(record("kafka", "x" * number))
    assert len(kept._told) <= MOST_KINDS
