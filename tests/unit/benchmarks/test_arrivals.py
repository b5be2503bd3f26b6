"""Events that do not arrive in their place are counted."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.channel_account import Arrivals, body, encode


@pytest.mark.parametrize(
    ("numbers", "lost", "strays"),
    [
        ([0, 1, 2, 3, 4], 0, 0),
        ([0, 1, 3, 4], 1, 0),
        ([2, 3, 4], 2, 0),
        ([0, 1, 2], 2, 0),
        ([0, 1, 1, 2, 3, 4], 0, 1),
        ([0, 2, 1, 3, 4], 1, 1),
        ([], 5, 0),
    ],
)
def test_holes_and_repetitions_are_told_apart(numbers: list[int], lost: int, strays: int) -> None:
    """An event behind a later one fills no hole."""
    arrivals = Arrivals(5)
    for number in numbers:
        arrivals.take(number)
    assert arrivals.account(1.5) == {"ended": 1.5, "lost": lost, "strays": strays}
    assert arrivals.is_complete is (4 in numbers)


def test_a_body_has_about_a_hundred_bytes() -> None:
    """As the description of the benchmark says."""
    encoded = encode(body(7))
    assert 80 <= len(encoded) <= 140
    assert msgspec.msgpack.decode(encoded)["number"] == 7
