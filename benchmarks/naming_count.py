"""What both sides of the benchmark of naming share: the names."""

from __future__ import annotations

RESOLVED = "bench/sources/n00001"
"""The name that is resolved again and again."""


def names_of(count: int, prefix: str = "bench/sources/n") -> list[str]:
    """Return so many names, sorted, in one context; the second is ``RESOLVED``."""
    return [f"{prefix}{number:05}" for number in range(count)]
