"""The lane of a stub for oneway calls: one connection, so that they keep their order.

The object executes the calls of a connection one after the other and reads no further than
it has executed: what it cannot take waits in the sockets' buffers, and when these are full
the sender waits, for as long as its deadline.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from idl_like_interfaces.errors import OutcomeUnknown
from idl_like_interfaces.mapping.calling.line import Line
from idl_like_interfaces.mapping.calling.outcome import (
    NotExecuted,
    NotSent,
    expired,
    lane_lost,
    time_is_up,
    unreachable,
)
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.context import CallIds, time_left

log = logging.getLogger(__name__)

_FAREWELL_S = 5.0
"""So long a stub that is released waits until its oneway calls are executed."""


class Lane:
    """Sends the oneway calls of one stub in the order in which they are made.

    Args:
        reference: What is called, for people.
        connect: Finds the object and makes a connection, until a moment.
    """

    def __init__(self, reference: str, connect: Callable[[float], Line]) -> None:
        self._reference = reference
        self._connect = connect
        # They wait in the sockets' buffers while other calls of the stub overtake them.
        self._ids = CallIds()
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._ending: Line | None = None
        """One that got stuck; the next one must not overtake what it still holds."""

    def post(self, request: Request, until: float, allowed_s: float) -> None:
        """Send a request behind all earlier ones.

        Args:
            request: The request.
            until: When the time is over (monotonic).
            allowed_s: How long that was.

        Raises:
            DeadlineExpired: The object does not take it in time.
            OutcomeUnknown: The connection was lost, and with it perhaps earlier calls.
            Transient: The object cannot be reached.
        """
        if not self._lock.acquire(timeout=max(0.0, time_left(until))):
            raise time_is_up(self._what(request))
        try:
            self._post(request, until, allowed_s)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Send no more; wait a while until the object has taken what was sent."""
        with self._lock:
            until = time.monotonic() + _FAREWELL_S
            if self._line is not None:
                self._line.end()
            for line in (self._ending, self._line):
                if line is not None and not line.has_ended(until):
                    log.warning("oneway calls of %s are not executed yet", line.place.uri)
                if line is not None:
                    line.close()
            self._line = self._ending = None

    def _post(self, request: Request, until: float, allowed_s: float) -> None:
        what = self._what(request)
        if self._ending is not None:
            if not self._ending.has_ended(until):
                raise expired(what, allowed_s)
            self._ending.close()
            self._ending = None
        line = self._open(until)
        try:
            line.post(request, self._ids.mark(time_left(until)), until)
        except NotSent as error:
            line.end()
            self._ending, self._line = line, None
            raise expired(what, allowed_s) from error
        except NotExecuted as error:
            raise self._lost(line) from error
        except BaseException:
            # A part of a message may be sent; nothing can follow it.
            line.close()
            self._line = None
            raise

    def _open(self, until: float) -> Line:
        if self._line is None:
            try:
                self._line = self._connect(until)
            except NotExecuted as error:
                raise unreachable(self._reference, "", error) from error
        elif self._line.is_stale:
            raise self._lost(self._line)
        return self._line

    def _lost(self, line: Line) -> OutcomeUnknown:
        line.close()
        self._line = None
        return lane_lost(self._reference)

    def _what(self, request: Request) -> str:
        return f"{request.name} of {self._reference}"
