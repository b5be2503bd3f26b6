"""What is wrong with messages goes to the log, but never faster than somebody can read it."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable

from objects.component.clock import Clock

log = logging.getLogger(__name__)

PERIOD_S = 60.0
"""One warning of a kind and sender within so many seconds; the next one tells the number."""

_MOST_KINDS = 1024


class Complaints:
    """Warnings about messages, by kind and sender.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def skipped(self, sender: str, address: str, type_: str, count: int) -> None:
        """Tell of messages of another type."""
        if total := self._due(sender, type_, count):
            text = "%d messages of type %r from %s (%s) are no events, they are skipped"
            log.warning(text, total, type_, sender, address or "this process")

    def damaged(self, sender: str, address: str, count: int, found: Iterable[str]) -> None:
        """Tell of messages that are no whole events."""
        if total := self._due(sender, "", count):
            text = "%d messages from %s (%s) are damaged, they are refused; %s"
            log.warning(text, total, sender, address or "this process", "; ".join(found))

    def _due(self, sender: str, kind: str, count: int) -> int:
        """Return how many are to be told now; 0: it is too early."""
        now = self._clock.monotonic()
        with self._lock:
            told_at, untold = self._kinds.pop((sender, kind), (now - PERIOD_S, 0))
            total = untold + count
            is_due = now - told_at >= PERIOD_S
            self._kinds[sender, kind] = (now, 0) if is_due else (told_at, total)
            if len(self._kinds) > _MOST_KINDS:
                self._kinds.popitem(last=False)
        return total if is_due else 0
