"""The process that fills our channel."""

from __future__ import annotations

import time

from benchmarks import channel_obsorb


class Filler(channel_obsorb.Supplier):
    """Publishes without anybody who reads."""

    def fill(self, events: int) -> float:
        """Publish so many events; return in how many seconds the channel had them."""
        began = self.publish(events)
        return time.monotonic() - began
