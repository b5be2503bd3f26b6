"""How a component stands: what it says of itself, and which services it must do without."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.clients.spooler import Counters
from idl_like_interfaces.mapping.wire import host_name
from idl_like_interfaces.supervision import ComponentObject, Health
from objects.component.clock import Clock
from objects.component.site import Component

STUCK_AFTER_S = 2.0
"""A service that has taken nothing for so long, while something waits for it, is away."""


@dataclass(slots=True)
class Absence:
    """Something that a component must do without.

    Attributes:
        what: In words, e.g. ``event channel away``.
        since: When that was noticed first; None: it is there.
    """

    what: str
    since: datetime | None = None

    def note(self, now: datetime, *, is_away: bool) -> None:
        """Take what was just seen."""
        if not is_away:
            self.since = None
        elif self.since is None:
            self.since = now

    def link(self) -> str:
        """Say it as the state of a connection."""
        since = self.since
        return f"disconnected since {since:%Y-%m-%dT%H:%M:%SZ}" if since else "connected"

    def said(self) -> str:
        """Say it in words; empty when all is there."""
        since = self.since
        return f"{self.what} since {since:%H:%M:%S} UTC" if since else ""


class Delivery:
    """Tells from the counters of a spool whether its peer still takes what is sent.

    Args:
        absence: Of who takes it.
        counters: Return the counters of the spool.
        clock: The time.
        is_away: Tells that it does not answer though nothing is sent; for who looks for it.
    """

    def __init__(
        self,
        absence: Absence,
        counters: Callable[[], Counters],
        clock: Clock,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._absence = absence
        self._counters = counters
        self._clock = clock
        self._is_away = is_away
        self._taken = -1
        self._moved = clock.monotonic(), clock.utc()

    def look(self) -> None:
        """Compare with the last time; to be called about once a second."""
        now = self._clock.monotonic()
        counters = self._counters()
        waiting = counters.produced - counters.acknowledged - counters.dropped
        if waiting <= 0 or counters.acknowledged != self._taken:
            self._taken = counters.acknowledged
            self._moved = now, self._clock.utc()
        monotonic, utc = self._moved
        is_stuck = now - monotonic >= STUCK_AFTER_S
        self._absence.note(utc, is_away=is_stuck or self._is_away())


def heartbeat_of(health: Health) -> Heartbeat:
    """Return what everybody is told once a second; in error: why, which changes with the error only."""
    return Heartbeat(
        component=health.component,
        kind=health.kind,
        incarnation=health.incarnation,
        state=health.state,
        detail=health.reason if health.state is ComponentState.ERROR else health.detail,
        uptime_s=health.uptime_s,
        pid=health.pid,
        host=health.host,
    )


class ComponentServant(ComponentObject):
    """The component itself, as a remote object.

    Args:
        component: The component.
        accounts: Return the accounts of all its hops.
        absences: What it may have to do without; others keep them up to date.
    """

    def __init__(
        self, component: Component, accounts: Callable[[], list[Account]], absences: list[Absence]
    ) -> None:
        self._component = component
        self._accounts = accounts
        self._absences = absences
        self._started_at = component.site.clock.monotonic()
        self._state = ComponentState.STARTED

    @property
    def state(self) -> ComponentState:
        """The step of its life."""
        return self._state

    def enter(self, state: ComponentState) -> None:
        """Note a step of its life."""
        self._state = state

    @override
    def get_health(self) -> Health:
        site = self._component.site
        problem = self._problem()
        without = [said for each in self._absences if (said := each.said())]
        return Health(
            component=site.name,
            kind=self._component.kind,
            incarnation=site.incarnation,
            state=self._shown(problem),
            is_ready=self._state is ComponentState.RUNNING and not problem,
            reason="; ".join(filter(None, [problem, *without])),
            detail=self._component.detail(),
            uptime_s=max(0.0, site.clock.monotonic() - self._started_at),
            pid=os.getpid(),
            host=host_name(),
        )

    @override
    def get_accounts(self) -> list[Account]:
        return self._accounts()

    def _problem(self) -> str:
        match self._state:
            case ComponentState.STARTED:
                return "it is starting"
            case ComponentState.STOPPED:
                return "it has ended"
            case _:
                return self._component.problem()

    def _shown(self, problem: str) -> ComponentState:
        if self._state is ComponentState.RUNNING and problem:
            return ComponentState.ERROR
        return self._state
