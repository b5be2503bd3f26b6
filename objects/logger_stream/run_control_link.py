"""The logger's link to run control: found by name, asked again and again, never in anybody's way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from typing_extensions import override

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.run_control import Member, Orders, RunControl
from objects.component.clock import Clock

log = logging.getLogger(__name__)

ENROLL_S: Final = 2.0
FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0


class RunControlLink(Closing):
    """Makes the logger known to run control every two seconds, and follows its orders.

    Args:
        run_control: Its stub; it need not run yet.
        member: Says how the logger stands.
        follow: Does what was ordered; called in the link's thread.
        clock: The time.
    """

    def __init__(
        self,
        run_control: RunControl,
        member: Callable[[], Member],
        follow: Callable[[Orders], None],
        clock: Clock,
    ) -> None:
        self._run_control = run_control
        self._member = member
        self._follow = follow
        self._clock = clock
        self._away_since: datetime | None = clock.utc()
        self._backoff = Backoff(FIRST_S, LONGEST_S)
        self._condition = threading.Condition()
        self._is_hurried = self._is_closed = False
        self._answered_wish = ""
        self._thread = threading.Thread(target=self._run, name="run-control-link", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether run control has answered when it was asked last."""
        return self._away_since is None

    @property
    def answered_wish(self) -> str:
        """The wish for a pause that run control has heard last; empty: none."""
        return self._answered_wish

    def text(self) -> str:
        """Return how a status tells of it."""
        since = self._away_since
        return "connected" if since is None else f"disconnected since {since:%Y-%m-%dT%H:%M:%SZ}"

    def hurry(self) -> None:
        """Ask now: there is something that cannot wait."""
        with self._condition:
            self._is_hurried = True
            self._condition.notify_all()

    @override
    def close(self) -> None:
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_closed:
            pause_s = self._enroll()
            with self._condition:
                self._condition.wait_for(lambda: self._is_hurried or self._is_closed, pause_s)
                self._is_hurried = False

    def _enroll(self) -> float:
        """Ask once; return after how many seconds to ask again."""
        try:
            member = self._member()
            orders = self._run_control.enroll(member)
        except RemoteError as error:
            self._note_away(error)
            return self._backoff.next_s()
        except Exception:
            log.exception("the link to run control failed")
            return self._backoff.next_s()
        self._note_here(member)
        try:
            self._follow(orders)
        except RemoteError as error:
            log.error("an order of run control cannot be followed: %s", error)
        except Exception:
            log.exception("an order of run control failed")
        return ENROLL_S

    def _note_away(self, error: RemoteError) -> None:
        self._answered_wish = ""
        if self._away_since is None:
            self._away_since = self._clock.utc()
            log.warning("run control is away: %s; active runs go on", error)

    def _note_here(self, member: Member) -> None:
        self._backoff.reset()
        self._answered_wish = member.pause_wish
        if self._away_since is not None:
            self._away_since = None
            log.info("run control answers")
