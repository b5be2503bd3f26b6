"""What a component finds where it runs, and what a component is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import Value
from idl_like_interfaces.events import Priority
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.oldb import Quality
from objects.component.clock import Clock

Remote = TypeVar("Remote")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveObject:
    """An object that a component offers.

    Attributes:
        path: Name below the root context, e.g. ``ocm/daq``.
        interface: What it implements.
        servant: What implements it.
    """

    path: str
    interface: type
    servant: Any


class Offered(Closing):
    """An object that is served at a port of its own until this is closed.

    Attributes:
        port: Where.
    """

    port: int


class Site(Protocol):
    """The surroundings of a component: time, place, names, events.

    Attributes:
        name: The component's name in the installation, e.g. ``ocm``.
        root: The root context of the installation's names, e.g. ``obs``.
        incarnation: This start of the component.
        data_root: Folder of the installation's data; exists.
        clock: The time.
    """

    name: str
    root: str
    incarnation: str
    data_root: Path
    clock: Clock

    def narrow(self, reference: str, interface: type[Remote], deadline_s: float = 10.0) -> Remote:
        """Return a typed stub for a name (from the naming root) or a Pyro URI.

        Stubs are cached, usable from any thread, and find a restarted object
        again. Nothing is contacted before the first call.
        """

    def naming(self, deadline_s: float = 10.0) -> NamingContext:
        """Return a stub of the root context of the name service."""

    def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
        """Send an event; never blocks, spools while the channel is away."""

    def record(self, key: str, value: Any, quality: Quality = Quality.OK) -> None:
        """Write a value into the online database, under ``<name of the component>/<key>``.

        Never blocks; of values of one key that wait only the newest is kept.

        Args:
            key: Below the component's own key, e.g. ``daq/active_count``.
            value: A declared struct or plain values; what cannot travel is refused.
            quality: How far it may be trusted.

        Raises:
            BadParam: The value cannot travel.
            InvalidKey: The key is none.
        """

    def forget(self, key: str) -> None:
        """Remove a key of this component from the online database; never blocks."""

    def raise_alarm(self, report: AlarmReport) -> None:
        """Report a condition that holds; never blocks, kept while the alarm service is away."""

    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        """Report that a condition is over; ``object`` as in the report, empty: the component."""

    def note(self, text: str) -> None:
        """Enter into the alarm service's history what is no alarm, e.g. that a run begins."""

    def links(self) -> dict[str, str]:
        """Return how the services are that every component uses.

        Returns:
            For ``names``, ``channel``, ``alarms``: ``connected`` (for all that is known), or
            ``disconnected since …``.
        """

    def offer(self, offered: ActiveObject, port: int = 0) -> Offered:
        """Serve one more object, at a port of its own, until what is returned is closed.

        Its name is bound under the component's lease, now or as soon as the name server
        answers. To be called from ``start`` on.

        Args:
            offered: The object.
            port: 0: any free one.

        Raises:
            OSError: The port is in use.
        """

    def keeps_accounts(self, accountant: Callable[[], list[Account]]) -> None:
        """Have further accounts shown with those of the component (its consumers, writers)."""

    def announce(self, file: FileFinished) -> None:
        """Tell everybody of a finished file, at least once, also over a crash.

        The announcement is on disk when this returns, until the channel has it.
        """

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call an action periodically in a worker thread; return what ends that."""

    def request_exit(self) -> None:
        """Ask the process to end in good order (returns at once)."""


class Component:
    """A part of an installation that runs in a process of its own.

    The process calls, in this order: the constructor, ``recover``, ``objects`` (which
    it then activates and binds under one lease), ``start``; and at the end ``stop``.

    Attributes:
        kind: Its kind in an installation file.
        Settings: Its configuration: a struct; unknown settings are refused by it.
        site: Where it runs.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type[msgspec.Struct]]

    def __init__(self, site: Site, settings: Any) -> None:
        self.site = site
        self.settings = settings

    def recover(self) -> None:
        """Open the store and bring it into order after a crash."""

    def objects(self) -> list[ActiveObject]:
        """Return the objects that it offers."""
        return []

    def start(self) -> None:
        """Begin to work; the names are bound."""

    def stop(self) -> None:
        """Finish what must be finished and release everything; the names are gone.

        Also called when the boot was given up before ``start`` or within ``recover``.
        """

    def detail(self) -> str:
        """Say in a few words what it is doing (shown with its heartbeat)."""
        return ""

    def problem(self) -> str:
        """Say why it cannot do its work now; empty: it can.

        Asked with each heartbeat: it must not wait for anything. Shown with the component's
        health; as long as there is one the component counts as not ready.
        """
        return ""
