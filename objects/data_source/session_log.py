"""The sessions of a source: the current one, the past ones, and waiting for a change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from idl_like_interfaces.recif import RecExceptionErr, RecStatus, RecStatusName
from idl_like_interfaces.waiting import News, block_for_news, wait_for_news
from objects.component.clock import Clock
from objects.data_source.session import Command, Session, outcome

HISTORY = 1000
"""So many sessions can be asked for."""
_LOOK_AGAIN_S = 0.5

T = TypeVar("T")


class SessionLog:
    """Remembers sessions; every change wakes those who wait. Safe for threads.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._ends = News()
        self._clock = clock
        self._changed = threading.Condition()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._current: Session | None = None

    @property
    def current(self) -> Session | None:
        """The session that runs, or else the last one."""
        with self._changed:
            return self._current

    def get(self, id: str) -> Session | None:
        """Return a session by id."""
        with self._changed:
            return self._sessions.get(id)

    def add(self, session: Session) -> Session:
        """Make a new session the current one; it begins at once when it is due."""
        with self._changed:
            if session.turn(self._clock.utc(), self._clock.monotonic()) == 0.0:
                session = session.begun(self._clock.utc(), self._clock.monotonic())
            self._current = session
            return self._put(session)

    def command(self, command: Command) -> Session:
        """Carry out a command on the current session.

        Raises:
            RecExceptionErr: It is not legal now.
        """
        with self._changed:
            outcome(command, self._current)
            return self._change(lambda session: session.commanded(command, self._now()))

    def count(self, size: int) -> None:
        """Count a frame of the current session."""
        with self._changed:
            self._change(lambda session: session.with_frame(size, self._now()))

    def close(self, ending: RecStatusName) -> RecStatusName:
        """Take no more frames; a command that came first decides the end."""
        with self._changed:
            session = self._change(
                lambda session: session if session.ending else session.closing(ending, self._now())
            )
            return session.ending or ending

    def complete(self) -> Session | None:
        """Let the current session end by itself now; return it, None when none runs."""
        with self._changed:
            session = self._current
            if session is None or session.status.is_final or session.ending is not None:
                return None
            return self._change(lambda each: each.closing(RecStatusName.COMPLETED, self._now()))

    def end(self, status: RecStatusName, files: tuple[str, ...] = (), reason: str = "") -> None:
        """End the current session; its files are complete."""
        with self._changed:
            utc, now = self._clock.utc(), self._now()
            self._change(lambda session: session.ended(status, utc, now, files, reason))
        self._ends.tell()

    def await_turn(self) -> RecStatusName | None:
        """Wait until the next frame is due; an end that was decided instead is returned."""
        with self._changed:
            while True:
                session = self._the_current()
                turn = session.turn(self._clock.utc(), self._now())
                if isinstance(turn, RecStatusName):
                    return self.close(turn)
                if turn > 0:
                    # UTC may be adjusted while we wait for it, so it is read again.
                    self._changed.wait(min(turn, _LOOK_AGAIN_S))
                elif session.status is RecStatusName.INACTIVE:
                    self._put(session.begun(self._clock.utc(), self._now()))
                else:
                    return None

    def await_end(self, id: str, timeout_s: float) -> Session:
        """Wait for the end of a session, at most so long; return what it is then."""
        return block_for_news(
            self._ends, lambda: self._ended(id), lambda: self._sessions[id], timeout_s
        )

    def poll_end(self, id: str, answer: Callable[[Session], T], timeout_s: float) -> T:
        """Answer a long-poll that waits for the end of a session; to be called last in it."""

        def look() -> T | None:
            ended = self._ended(id)
            return None if ended is None else answer(ended)

        return wait_for_news(self._ends, look, lambda: answer(self._sessions[id]), timeout_s)

    def _ended(self, id: str) -> Session | None:
        with self._changed:
            session = self._sessions[id]
            return session if session.status.is_final else None

    def report(self, session: Session) -> RecStatus:
        """Return a status as of now."""
        return session.report(self._now())

    def _now(self) -> float:
        return self._clock.monotonic()

    def _the_current(self) -> Session:
        if self._current is None:
            raise RecExceptionErr("There was no session", id="")
        return self._current

    def _change(self, change: Callable[[Session], Session]) -> Session:
        return self._put(change(self._the_current()))

    def _put(self, session: Session) -> Session:
        self._current = self._sessions[session.id] = session
        if len(self._sessions) > HISTORY:
            self._sessions.popitem(last=False)
        self._changed.notify_all()
        return session
