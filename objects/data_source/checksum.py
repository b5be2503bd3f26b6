"""CHECKSUM and DATASUM of an HDU (FITS Standard 4.0, section 4.4.2.7 and appendix J).

Computed here because it must work on card images and on any kind of HDU, while it is
being written; astropy and CFITSIO verify the result.
"""

from __future__ import annotations

from idl_like_interfaces.octets import Buffer
from objects.data_source.cards import Cards, header_octets, padding_of, replaced, value_cards

_EMPTY = "0" * 16
_PUNCTUATION = frozenset([*range(0x3A, 0x41), *range(0x5B, 0x61)])
_WORD = 0xFFFFFFFF
_WORD_SIZE = 4


def sealed(cards: Cards, data: bytes) -> bytes:
    """Return a complete HDU: header with DATASUM and CHECKSUM, data, padding."""
    return b"".join(sealed_parts(cards, data))


def sealed_parts(cards: Cards, data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, data and padding of an HDU apart: large data are not copied for it.

    Args:
        cards: The header without END.
        data: The data as they stand in the file, without padding.
    """
    padding = b"\0" * padding_of(len(data))
    whole = len(data) // _WORD_SIZE * _WORD_SIZE
    rest = data[whole:] + padding  # together whole words again
    datasum = ones_complement_sum(rest, ones_complement_sum(memoryview(data)[:whole]))
    draft = replaced(
        cards,
        value_cards("CHECKSUM", _EMPTY, "HDU checksum")
        + value_cards("DATASUM", str(datasum), "data unit checksum"),
    )
    total = ones_complement_sum(header_octets(draft), datasum)
    final = replaced(draft, value_cards("CHECKSUM", encoded(~total & _WORD), "HDU checksum"))
    return header_octets(final), data, padding


def ones_complement_sum(octets: Buffer, start: int = 0) -> int:
    """Add up big-endian 32-bit words with end-around carry."""
    import numpy as np

    total = start + int(np.frombuffer(octets, ">u4").sum(dtype=np.uint64))
    while total > _WORD:
        total = (total & _WORD) + (total >> 32)
    return total


def encoded(value: int) -> str:
    """Write a 32-bit number as 16 letters and digits (no punctuation), as the standard says."""
    letters = [0] * 16
    for place, octet in enumerate(value.to_bytes(4, "big")):
        quotient, remainder = divmod(octet, 4)
        group = [ord("0") + quotient + remainder] + [ord("0") + quotient] * 3
        for index, code in enumerate(_letters_only(group)):
            letters[4 * index + place] = code
    return "".join(map(chr, letters[-1:] + letters[:-1]))


def _letters_only(group: list[int]) -> list[int]:
    """Shift pairs against each other until none is punctuation; their sum stays."""
    while any(code in _PUNCTUATION for code in group):
        for first in (0, 2):
            if group[first] in _PUNCTUATION or group[first + 1] in _PUNCTUATION:
                group[first] += 1
                group[first + 1] -= 1
    return group
