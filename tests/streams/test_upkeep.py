"""Which topics count as made again."""

from __future__ import annotations

from streams.raw_log import Topic
from streams.upkeep import made_again


def test_another_id_is_another_topic() -> None:
    found = {"a": Topic("1", frozenset()), "b": Topic("3", frozenset())}
    replaced = made_again({"a": "1", "b": "2"}, found)

    assert replaced is not None
    assert (replaced.topic, replaced.before, replaced.now) == ("b", "2", "3")


def test_what_is_away_or_was_never_read_is_not() -> None:
    """The others go on meanwhile."""
    assert made_again({"a": "1", "b": "2"}, {"a": Topic("1", frozenset())}) is None
    assert made_again({"a": "1"}, {"a": Topic("1", frozenset()), "new": Topic("9", frozenset())}) is None
