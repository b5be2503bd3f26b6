"""The processes of our event channel, with a supplier that keeps its events on disk."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import channel_obsorb

Consumer = channel_obsorb.Consumer


class Supplier(ExitStack):
    """Publishes as fast as it can what survives a kill of it, too."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        folder = self.enter_context(tempfile.TemporaryDirectory(prefix="obsorb-bench-"))
        self._inner = self.enter_context(channel_obsorb.Supplier(uri, Path(folder)))

    def publish(self, events: int) -> float:
        """Publish so many events and return the monotonic time of the beginning."""
        return self._inner.publish(events)
