"""The partition of a key is the one that every other Kafka client would choose."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as librarys

from ingest.partition import murmur2, partition_of


@given(st.binary(max_size=80))
def test_the_hash_is_the_one_of_other_kafka_clients(key: bytes) -> None:
    assert librarys(key) == murmur2(key)


@given(st.binary(max_size=80), st.integers(1, 12))
def test_a_key_goes_to_a_partition_that_exists(key: bytes, partitions: int) -> None:
    assert (librarys(key) & 0x7FFFFFFF) % partitions == partition_of(key, partitions)
