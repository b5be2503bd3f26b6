"""Makes the calls of a stub from threads: one deadline over all that a call needs."""

from __future__ import annotations

import os
import time
from typing import Any
from weakref import WeakSet

from idl_like_interfaces.errors import BadOperation, BadParam, RemoteError
from idl_like_interfaces.mapping.calling.aiocallers import AioCallers
from idl_like_interfaces.mapping.calling.connecting import connect
from idl_like_interfaces.mapping.calling.lane import Lane
from idl_like_interfaces.mapping.calling.line import Line
from idl_like_interfaces.mapping.calling.outcome import NotExecuted, Unanswered, time_is_up
from idl_like_interfaces.mapping.calling.outgoing import ONEWAY, Request
from idl_like_interfaces.mapping.calling.pool import Pool
from idl_like_interfaces.mapping.calling.target import DESCRIBE, Target, decisive, may_repeat
from idl_like_interfaces.mapping.context import CallIds, remaining_s, time_left
from idl_like_interfaces.mapping.wire import CONNECT_DEADLINE_S

_MOST_IDLE = 64


class Caller:
    """Makes the calls of one stub, from any thread.

    Attributes:
        target: What is called.
        aio: Those that make its calls from event loops.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.begin()
        _all.add(self)

    def begin(self) -> None:
        """Take no connection over: in the beginning, and in a process that was forked."""
        self._pool: Pool[Line] = Pool(_MOST_IDLE)
        self._lane = Lane(self.target.reference, self._connect_anew)
        self.aio = AioCallers(self.target)

    def call(self, request: Request) -> Any:
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
                self._check(until)
            if request.flags & ONEWAY:
                return self._lane.post(request, until, allowed_s)
            return self._perform(request, until, allowed_s)
        except RemoteError as error:
            error.add_note(f"calling {request.name} of {self.target.reference}")
            raise

    def close(self) -> None:
        """Close all idle connections, that of oneway calls when the object has taken them."""
        self.aio.close()
        self._lane.close()
        self._pool.clear()

    def _check(self, until: float) -> None:
        try:
            if self._perform(self.target.question(), until, time_left(until)):
                self.target.is_checked = True
                return
            found = self._perform(DESCRIBE, until, time_left(until))
        except BadParam:
            # Of the release before, which compares no digests.
            found = self._perform(DESCRIBE, until, time_left(until))
        except BadOperation:
            found = None
        self.target.check(found)

    def _perform(self, request: Request, until: float, allowed_s: float) -> Any:
        """Call; once more after finding the object again, where that is harmless."""
        try:
            return self._attempt(request, until, allowed_s)
        except Unanswered as error:
            first = error
        if not may_repeat(request, first) or time_left(until) <= 0:
            raise self._failure(request, first, allowed_s) from first
        self.forget()
        try:
            return self._attempt(request, until, time_left(until))
        except Unanswered as error:
            raise self._failure(request, decisive(first, error), allowed_s) from error

    def _failure(self, request: Request, error: Unanswered, allowed_s: float) -> RemoteError:
        place = self._pool.place
        return self.target.failure(request, error, place.uri if place else "", allowed_s)

    def _attempt(self, request: Request, until: float, left_s: float) -> Any:
        line = self._pool.take()
        if line is None:
            line = self._connect(until)
            left_s = time_left(until)
        try:
            reply = line.exchange(request, self.target.mark(request, left_s), until, left_s)
        except BaseException:
            line.close()
            raise
        self._pool.give(line)
        return request.value(reply)

    def _connect(self, until: float) -> Line:
        """Find the object and make a connection.

        Args:
            until: When the time for all of it is over (monotonic).

        Raises:
            NotExecuted: It cannot be reached, or not in time.
            RemoteError: The name service refuses.
        """
        place = self._pool.place
        if place is None:
            place = self._pool.place = self.target.find(until)
        return connect(place, min(until, time.monotonic() + CONNECT_DEADLINE_S))

    def _connect_anew(self, until: float) -> Line:
        """As ``_connect``, and once more after finding the object again.

        Raises:
            NotExecuted: As there.
            RemoteError: As there.
        """
        try:
            return self._connect(until)
        except NotExecuted:
            self.forget()
            return self._connect(until)

    def forget(self) -> None:
        """Close all idle connections and forget where the object was."""
        self._pool.place = None
        self._pool.clear()


_all: WeakSet[Caller] = WeakSet()


def _begin_again() -> None:
    """Share nothing with the process that this one was forked from, above all no ids of calls."""
    for caller in _all:
        caller.target.ids, caller.target.free_ids = CallIds(), CallIds()
        caller.begin()


os.register_at_fork(after_in_child=_begin_again)
