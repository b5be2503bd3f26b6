"""The FITS checksum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objects.products.merge.checksum import add_to_sum, encode_checksum

WORDS = st.binary(max_size=400).map(lambda data: data + b"\0" * (-len(data) % 4))


@pytest.mark.spec("ESO-125")
@given(data=WORDS)
def test_the_checksum_makes_the_sum_all_ones(data: bytes) -> None:
    """Written at its place, one column off a word, it complements every sum."""
    card = b"CHECKSUM= '%s'   / x"
    zero = card % (b"0" * 16)
    total = add_to_sum(add_to_sum(0, data), zero.ljust(80))
    text = encode_checksum(total)
    assert text.isalnum()
    assert len(text) == 16
    written = data + (card % text.encode()).ljust(80)
    assert add_to_sum(0, written) in (0, 0xFFFFFFFF)


@given(parts=st.lists(WORDS, max_size=5))
def test_parts_may_be_added_in_any_order(parts: list[bytes]) -> None:
    """So data can be summed before the header in front of them is known."""
    forward = backward = 0
    for part in parts:
        forward = add_to_sum(forward, part)
    for part in reversed(parts):
        backward = add_to_sum(backward, part)
    assert forward == backward == add_to_sum(0, b"".join(parts))


def test_a_carry_goes_round() -> None:
    """Ones' complement: what leaves at the top comes in at the bottom."""
    assert add_to_sum(0xFFFFFFFF, b"\0\0\0\1") == 1
    assert add_to_sum(0, b"\xff" * 4 * 2880) == 0xFFFFFFFF
