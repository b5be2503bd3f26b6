"""The root context of one of two name servers: a servant while it leads, a refusal else."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.replication import ReplicaRole
from idl_like_interfaces.waiting import News, Parked
from nameserver.replica import Member, Replica
from nameserver.replica_leading import Leadership, LeaderStore
from nameserver.replica_link import PeerLink
from nameserver.servant import NamingServant

log = logging.getLogger(__name__)

LOOK_UPS = frozenset({"resolve", "resolve_many", "list", "find", "list_leases", "changes"})
"""A leader that has lost its follower goes on with these; all others wait for it."""


class Gate:
    """Answers the operations of ``NamingContext``; a servant is made for each reign.

    In a new reign each lease has a full term, counted in a time that stands still while
    nothing may be acknowledged.

    Args:
        member: The state.
        replica: Makes the refusals.
        leadership: Makes the changes.
    """

    def __init__(self, member: Member, replica: Replica, leadership: Leadership) -> None:
        self._member = member
        self._replica = replica
        self._leadership = leadership
        self._lock = threading.Lock()
        self._reign = 0
        self._servant: NamingServant | None = None
        self._news: set[News] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return functools.partial(self._call, name)

    @property
    def context(self) -> NamingContext:
        """The same with the type that it answers to."""
        return cast("NamingContext", self)

    def expire_leases(self) -> None:
        """Let leases run out, while it leads."""
        servant = self._leading()
        if servant is not None and self._member.may_acknowledge():
            servant.expire_leases()

    def refresh(self) -> None:
        """Follow the state: make the servant of a new reign, wake who waits at an old one."""
        state = self._member.state
        if self._leading() is None or state.reign != self._reign:
            with self._lock:
                news, self._news = self._news, set()
            for each in news:
                each.tell()

    def _call(self, name: str, *arguments: Any, **more: Any) -> Any:
        servant = self._leading()
        if servant is None or not (name in LOOK_UPS or self._member.may_acknowledge()):
            raise self._replica.not_leading()
        try:
            return getattr(servant, name)(*arguments, **more)
        except Parked as parked:
            raise self._parked(parked, self._reign) from None

    def _leading(self) -> NamingServant | None:
        state = self._member.state
        if state.leads and state.reign == self._reign:
            return self._servant
        with self._lock:
            state = self._member.state
            if not state.leads:
                self._servant = None
            elif state.reign != self._reign:
                store = LeaderStore(self._leadership, self._member.local, state.reign)
                self._servant = NamingServant(store, monotonic=self._member.lease_time)
                self._reign = state.reign
            return self._servant

    def _parked(self, parked: Parked[Any], reign: int) -> Parked[Any]:
        """Let a wait end with the reign."""
        with self._lock:
            self._news.add(parked.news)

        def still_leading(look: Callable[[], Any]) -> Any:
            if not self._member.state.leads or self._member.state.reign != reign:
                raise self._replica.not_leading()
            return look()

        return Parked(
            parked.news,
            functools.partial(still_leading, parked.look),
            functools.partial(still_leading, parked.otherwise),
            parked.timeout_s,
        )


class Passing:
    """The root context for stock clients, which know one address only.

    While the other name server leads, what they ask is passed on to it.

    Args:
        member: The state.
        own: Our own root context.
        link: The other one.
    """

    def __init__(self, member: Member, own: NamingContext, link: PeerLink) -> None:
        self._member = member
        self._own = own
        self._link = link

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        is_other = self._member.state.role is ReplicaRole.FOLLOWING
        return cast(
            "Callable[..., Any]", getattr(self._link.context if is_other else self._own, name)
        )

    @property
    def context(self) -> NamingContext:
        """The same with the type that it answers to."""
        return cast("NamingContext", self)
