"""A sender that is never idle, and keeps count of what it has sent."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.clients.event_sender import EventSender, SenderEnded
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_server import EventServer

PAYLOAD = bytes(range(256))
PATIENCE_S = 60.0


class Load(Closing):
    """Sends events of a run from a thread until it is stopped.

    Args:
        server: Of the logger.
        run: The run.
        streams: Of each event, in turn with the others: one tuple for each.
        size: Of the payload.
        pause_s: Between two events.
        first: Number of the first.
        name: Of the sender.
        spool_bytes: It keeps so much, then it is held back.

    Attributes:
        sender: What sends.
    """

    def __init__(  # noqa: PLR0913 (all but the first two have defaults)
        self,
        server: EventServer,
        run: int,
        streams: tuple[tuple[int, ...], ...] = ((1,),),
        *,
        size: int = 2000,
        pause_s: float = 0.001,
        first: int = 1,
        name: str = "cr1",
        spool_bytes: int = 64 * 1024 * 1024,
        spool: Path | None = None,
    ) -> None:
        self.sender = EventSender(server, name, spool_bytes=spool_bytes, spool=spool)
        self._run, self._streams, self._pause_s = run, streams, pause_s
        self._payload = (PAYLOAD * (1 + size // len(PAYLOAD)))[:size]
        self._first = self._next = first
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    @property
    def sent(self) -> int:
        """So many were sent."""
        return self._next - self._first

    def events(self, stream: int) -> set[int]:
        """Return the numbers of those that were sent to a stream."""
        every = self._streams
        numbers = range(self._first, self._next)
        return {each for each in numbers if stream in every[each % len(every)]}

    def stop(self) -> None:
        """Send no more, and wait until all is durable.

        Raises:
            AssertionError: It did not become so.
        """
        self._is_over.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the sender is held back for ever"
        assert self.sender.wait_durable(PATIENCE_S), f"not durable: {self.sender.counters}"
        assert self.sender.counters.dropped == 0
        assert self.sender.counters.refused == 0

    @override
    def close(self) -> None:
        self._is_over.set()
        self.sender.finish(0.0)
        self._thread.join(PATIENCE_S)

    def _send(self) -> None:
        with suppress(SenderEnded):
            self._send_all()

    def _send_all(self) -> None:
        every = self._streams
        while not self._is_over.wait(self._pause_s):
            number = self._next
            streams = every[number % len(every)]
            self.sender.send(self._run, number, 1 + number // 200, streams, self._payload)
            self._next += 1
