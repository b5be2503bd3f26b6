"""The lane of a stub for oneway calls from an event loop; as ``lane`` for threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from idl_like_interfaces.errors import OutcomeUnknown
from idl_like_interfaces.mapping.calling.aioline import AioLine
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


class AioLane:
    """Sends the oneway calls of one stub in the order in which they are made.

    Args:
        reference: What is called, for people.
        connect: Finds the object and makes a connection, until a moment.
    """

    def __init__(self, reference: str, connect: Callable[[float], Awaitable[AioLine]]) -> None:
        self._reference = reference
        self._connect = connect
        self._ids = CallIds()
        self._lock = asyncio.Lock()
        self._line: AioLine | None = None
        self._ending: AioLine | None = None

    async def post(self, request: Request, until: float, allowed_s: float) -> None:
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
        try:
            async with asyncio.timeout(time_left(until)):
                await self._lock.acquire()
        except TimeoutError as error:
            raise time_is_up(self._what(request)) from error
        try:
            await self._post(request, until, allowed_s)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Send no more; what was sent, the object still takes."""
        line, self._line = self._line, None
        if line is not None:
            line.end()

    async def aclose(self) -> None:
        """Send no more; wait a while until the object has taken what was sent."""
        async with self._lock:
            until = time.monotonic() + _FAREWELL_S
            if self._line is not None:
                self._line.end()
            for line in (self._ending, self._line):
                if line is not None and not await line.has_ended(until):
                    log.warning("oneway calls of %s are not executed yet", line.place.uri)
                    line.close()
            self._line = self._ending = None

    async def _post(self, request: Request, until: float, allowed_s: float) -> None:
        what = self._what(request)
        if self._ending is not None:
            if not await self._ending.has_ended(until):
                raise expired(what, allowed_s)
            self._ending = None
        line = await self._open(until)
        left_s = time_left(until)
        try:
            await line.post(request, self._ids.mark(left_s), left_s)
        except NotSent as error:
            line.end()
            self._ending, self._line = line, None
            raise expired(what, allowed_s) from error
        except NotExecuted as error:
            raise self._lost(line) from error

    async def _open(self, until: float) -> AioLine:
        if self._line is None:
            try:
                self._line = await self._connect(until)
            except NotExecuted as error:
                raise unreachable(self._reference, "", error) from error
        elif self._line.is_stale:
            raise self._lost(self._line)
        return self._line

    def _lost(self, line: AioLine) -> OutcomeUnknown:
        line.close()
        self._line = None
        return lane_lost(self._reference)

    def _what(self, request: Request) -> str:
        return f"{request.name} of {self._reference}"
