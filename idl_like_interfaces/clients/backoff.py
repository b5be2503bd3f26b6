"""How long to wait before the next attempt at a peer that is away."""

from __future__ import annotations

import random

FIRST_S = 0.1
LONGEST_S = 5.0


class Backoff:
    """Pauses that double from 0.1 s to 5 s, each shortened at random by up to a quarter.

    The chance keeps a hundred clients from coming back in the same millisecond.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Return the pause before the next attempt, in seconds."""
        pause = self._next_s
        self._next_s = min(self._next_s * 2, self._longest_s)
        return pause * random.uniform(0.75, 1.0)  # noqa: S311 (spreads load, keeps no secret)

    def reset(self) -> None:
        """Begin again with the shortest pause; the peer has answered."""
        self._next_s = self._first_s
