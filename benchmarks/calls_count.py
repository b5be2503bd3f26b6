"""What both sides of the benchmark of calls share: the payload and the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

PLAIN_READING: dict[str, Any] = {
    "sensor": "ccd1.temperature",
    "sequence": 4711,
    "value": -101.25,
    "is_valid": True,
    "history": [-101.5, -101.25, -101.0],
}
"""A small struct as components exchange them, in plain values."""


@cache
def block(size: int) -> bytes:
    """Return octets to transfer, always the same ones."""
    return bytes(range(256)) * (size // 256)


def seconds(call: Callable[[], object], count: int) -> float:
    """Make so many calls and return how long that took."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - began
