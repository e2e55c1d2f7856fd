"""Bytes from outside, made worse by Hypothesis, and every input that a fuzzer found once (`make fuzz`)."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS, cases


def spoilt(seed: bytes, draw: random.Random) -> bytes:
    """Bytes of a good input changed, removed, doubled, or put elsewhere."""
    data = bytearray(seed)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(4):
            case 0 if at < len(data):
                data[at] = draw.choice([0, 255, draw.randrange(256), data[at] ^ (1 << draw.randrange(8))])
            case 1:
                del data[at : at + draw.randint(1, 16)]
            case 2:
                data[at:at] = data[at : at + draw.randint(1, 16)]
            case _:
                data[at:at] = draw.choice([b'"', b"{", b"\\ud800", b"\x00", b"1e999", "\u202e".encode(), b"\n", b"9" * 400])
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS)
@given(number=st.integers(0, 2**32), moves=st.randoms(use_true_random=False))
@example(number=0, moves=random.Random(0))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_a_spoilt_input_is_refused_by_its_contract(target: str, number: int, moves: random.Random) -> None:
    seeds = SEEDS[target]
    TARGETS[target](spoilt(seeds[number % len(seeds)], moves))


@pytest.mark.parametrize("target", TARGETS)
@given(data=st.binary(max_size=300))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_any_bytes_are_refused_by_their_contract(target: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_are_good_inputs(target: str) -> None:
    for seed in SEEDS[target]:
        TARGETS[target](seed)


def test_what_was_found_once() -> None:
    for target, data in cases():
        TARGETS[target](data)
