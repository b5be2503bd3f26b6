"""Waiting in tests for what nobody announces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PATIENCE_S = 60.0


def eventually(
    condition: Callable[[], object],
    what: str = "the condition",
    patience_s: float = PATIENCE_S,
) -> None:
    """Ask again and again until it holds.

    Args:
        condition: Asked.
        what: Says what is waited for.
        patience_s: When to give up.

    Raises:
        AssertionError: It did not in time.
    """
    until = time.monotonic() + patience_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < until, f"not in time: {what}"
        pause.wait(0.02)
