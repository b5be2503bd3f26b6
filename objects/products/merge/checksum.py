"""The FITS checksum (FITS standard 4.0, 4.4.2.7 and appendix J).

A running sum of big-endian 32-bit words in ones' complement arithmetic; ``CHECKSUM`` is
the text that makes the sum over a whole HDU all ones.
"""

from __future__ import annotations

from idl_like_interfaces.octets import Buffer

CHECKSUM_ZERO = "0" * 16
"""Stands in the card while the sum is taken."""

_ALL_ONES = 0xFFFFFFFF
_OFFSET = 0x30
_PUNCTUATION = frozenset((*range(0x3A, 0x41), *range(0x5B, 0x61)))


def add_to_sum(total: int, data: Buffer) -> int:
    """Add 32-bit words to a sum, a last one that is not whole with zeros behind it.

    Parts of whole words may be added in any order.
    """
    import numpy as np

    if odd := len(data) % 4:
        data = bytes(data) + bytes(4 - odd)
    words = np.frombuffer(data, dtype=">u4")
    return _fold(total + int(words.sum(dtype=np.uint64)))


def add_sums(one: int, other: int) -> int:
    """Add the sums of two parts."""
    return _fold(one + other)


def encode_checksum(total: int) -> str:
    """Return the 16 characters for an HDU whose sum, with ``CHECKSUM_ZERO``, is ``total``."""
    complement = total ^ _ALL_ONES
    columns = [_letters((complement >> shift) & 0xFF) for shift in (24, 16, 8, 0)]
    text = "".join(chr(columns[column][row]) for row in range(4) for column in range(4))
    # The value begins in column 12 of the card, one off a word: so the text is turned by one.
    return text[-1] + text[:-1]


def _fold(total: int) -> int:
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def _letters(byte: int) -> list[int]:
    """Split a byte into four that add up to it, each a letter or digit above the offset."""
    quotient, remainder = divmod(byte, 4)
    letters = [quotient + _OFFSET] * 4
    letters[0] += remainder
    while any(letter in _PUNCTUATION for letter in letters):
        for low in (0, 2):
            if letters[low] in _PUNCTUATION or letters[low + 1] in _PUNCTUATION:
                letters[low] += 1
                letters[low + 1] -= 1
    return letters
