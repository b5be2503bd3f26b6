"""Makes the calls of a stub from an event loop: no thread waits for a reply."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from idl_like_interfaces.errors import BadOperation, BadParam, RemoteError
from idl_like_interfaces.mapping.calling.aiolane import AioLane
from idl_like_interfaces.mapping.calling.aioline import AioLine, addresses_of, aio_connect
from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.outcome import (
    NotExecuted,
    NotResolved,
    Unanswered,
    time_is_up,
)
from idl_like_interfaces.mapping.calling.outgoing import ONEWAY, Request
from idl_like_interfaces.mapping.calling.pool import Pool
from idl_like_interfaces.mapping.calling.target import DESCRIBE, Target, decisive, may_repeat
from idl_like_interfaces.mapping.context import remaining_s, time_left
from idl_like_interfaces.mapping.wire import CONNECT_DEADLINE_S

_MOST_IDLE = 512
"""Long-polls of hundreds of tasks end together; their connections are needed again at once."""


class AioCaller:
    """Makes the calls of one stub in one event loop; as ``Caller`` does in threads.

    Attributes:
        target: What is called.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._pool: Pool[AioLine] = Pool(_MOST_IDLE)
        self._hosts: list[str] = []
        self._finding = asyncio.Lock()
        self._lane = AioLane(self.target.reference, self._connect_anew)

    async def call(self, request: Request) -> Any:
        """Send a request and return what its reply holds.

        Raises:
            RemoteError: It was refused, or what became of it.
        """
        allowed_s = remaining_s(self.target.deadline_s + request.wait_s)
        until = time.monotonic() + allowed_s
        try:
            if allowed_s <= 0:
                raise time_is_up(request.name)
            if not self.target.is_checked:
                await self._check(until)
            if request.flags & ONEWAY:
                return await self._lane.post(request, until, allowed_s)
            return await self._perform(request, until, allowed_s)
        except RemoteError as error:
            error.add_note(f"calling {request.name} of {self.target.reference}")
            raise

    async def aclose(self) -> None:
        """Close all idle connections, that of oneway calls when the object has taken them."""
        await self._lane.aclose()
        self._pool.clear()

    def close(self) -> None:
        """As ``aclose``, without waiting for the object."""
        self._lane.close()
        self._pool.clear()

    async def _check(self, until: float) -> None:
        found = None
        try:
            if await self._perform(self.target.question(), until, time_left(until)):
                self.target.is_checked = True
                return
            found = await self._perform(DESCRIBE, until, time_left(until))
        except BadParam:
            # Of the release before, which compares no digests.
            found = await self._perform(DESCRIBE, until, time_left(until))
        except BadOperation:
            pass
        self.target.check(found)

    async def _perform(self, request: Request, until: float, allowed_s: float) -> Any:
        try:
            return await self._attempt(request, until)
        except Unanswered as error:
            first = error
        if not may_repeat(request, first) or time_left(until) <= 0:
            raise self._failure(request, first, allowed_s) from first
        self.forget()
        try:
            return await self._attempt(request, until)
        except Unanswered as error:
            raise self._failure(request, decisive(first, error), allowed_s) from error

    def _failure(self, request: Request, error: Unanswered, allowed_s: float) -> RemoteError:
        place = self._pool.place
        return self.target.failure(request, error, place.uri if place else "", allowed_s)

    async def _attempt(self, request: Request, until: float) -> Any:
        line = self._pool.take() or await self._connect(until)
        left_s = time_left(until)
        try:
            reply = await line.exchange(request, self.target.mark(request, left_s), left_s)
        except BaseException:
            # A cancelled task lands here, too: the object then forgets what it waited for.
            line.close()
            raise
        self._pool.give(line)
        return request.value(reply)

    async def _connect(self, until: float) -> AioLine:
        place, hosts = await self._find(until)
        return await aio_connect(place, min(until, time.monotonic() + CONNECT_DEADLINE_S), hosts)

    async def _connect_anew(self, until: float) -> AioLine:
        """Make a connection; once more after finding the object again.

        Args:
            until: When the time for all of it is over (monotonic).

        Raises:
            NotExecuted: It cannot be reached, or not in time.
            RemoteError: The name service refuses.
        """
        try:
            return await self._connect(until)
        except NotExecuted:
            self.forget()
            return await self._connect(until)

    async def _find(self, until: float) -> tuple[Place, list[str]]:
        """Ask the name service, in a thread since it may be slow, once for all who wait."""
        place = self._pool.place
        if place is not None:
            return place, self._hosts
        try:
            async with asyncio.timeout(time_left(until)), self._finding:
                place = self._pool.place
                if place is None:
                    loop = asyncio.get_running_loop()
                    place = await loop.run_in_executor(None, self.target.find, until)
                    self._hosts = await addresses_of(place)
                    self._pool.place = place
                return place, self._hosts
        except TimeoutError as error:
            if isinstance(error, RemoteError):
                raise
            raise NotResolved("it does not answer in time") from error

    def forget(self) -> None:
        """Close all idle connections and forget where the object was."""
        self._pool.place = None
        self._pool.clear()
