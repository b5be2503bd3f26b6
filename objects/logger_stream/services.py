"""The connections that INIT opens: alarms and monitor, wherever they are; never in anybody's way."""

from __future__ import annotations

import logging
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.alarms import AlarmReport, AlarmService
from idl_like_interfaces.clients import AlarmReporter, EventSupplier
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import Value
from idl_like_interfaces.events import EventChannel, Priority
from objects.component.health import Absence, Delivery
from objects.component.site import Site

log = logging.getLogger(__name__)

_LAST_WORDS_S = 0.5

Look = Callable[[], str]


class Services(Closing):
    """Where alarms, status and statistics go; a context manager.

    What every component of the installation uses is used here, too; a connection of its own is made
    to a service of another name only. Alarms are kept while their service is away, status
    is dropped when there is too much of it.

    Args:
        site: Where the logger runs.
        alarms: Name of the alarm service; empty: the installation's.
        channel: Name of the channel; empty: the installation's.
    """

    def __init__(self, site: Site, alarms: str = "", channel: str = "") -> None:
        self._site = site
        self._object = f"{site.root}/{site.name}"
        self._alarms = self._own_alarms(alarms)
        self._channel = self._own_channel(channel)
        self._looks: dict[str, Look] = {}
        if self._alarms is not None:
            self._looks["alarms"] = self._watch("alarm service", self._alarms)
        if self._channel is not None:
            self._looks["channel"] = self._watch("event channel", self._channel)

    def raise_alarm(self, report: AlarmReport) -> None:
        """Report a condition that holds; never blocks."""
        if self._alarms is None:
            self._site.raise_alarm(report)
        else:
            self._alarms.raise_alarm(report)

    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        """Report that a condition is over; never blocks."""
        if self._alarms is None:
            self._site.clear_alarm(name, object, text)
        else:
            self._alarms.clear_alarm(name, object, text)

    def note(self, text: str) -> None:
        """Enter a state of a run into the alarm service's history; never blocks."""
        if self._alarms is None:
            self._site.note(text)
        else:
            self._alarms.note(text)

    def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
        """Send an event; never blocks."""
        if self._channel is None:
            self._site.publish(topic, body, priority)
        else:
            self._channel.publish(topic, body, priority=priority)

    def links(self) -> dict[str, str]:
        """Return how each service is: ``connected``, or since when it is not."""
        own = {name: look() for name, look in self._looks.items()}
        return {**self._site.links(), **own}

    @override
    def close(self) -> None:
        for each in (self._alarms, self._channel):
            if each is not None:
                each.close(_LAST_WORDS_S)

    def _own_alarms(self, name: str) -> AlarmReporter | None:
        if name in {"", f"{self._site.root}/alarms"}:
            return None
        service = self._site.narrow(name, AlarmService)
        return AlarmReporter(service, self._object, self._site.incarnation)

    def _own_channel(self, name: str) -> EventSupplier | None:
        if name in {"", f"{self._site.root}/events"}:
            return None
        channel = self._site.narrow(name, EventChannel)
        return EventSupplier(channel, self._object, self._site.incarnation)

    def _watch(self, what: str, spool: AlarmReporter | EventSupplier) -> Look:
        absence = Absence(f"{what} away")
        is_away = _looker(spool)
        delivery = Delivery(absence, lambda: spool.counters, self._site.clock, is_away)

        def look() -> str:
            delivery.look()
            return absence.link()

        return look


def _looker(spool: AlarmReporter | EventSupplier) -> Callable[[], bool]:
    """Return what tells that a service does not answer; who only sends finds it by sending."""
    if not isinstance(spool, AlarmReporter):
        return lambda: False
    spool.watch()
    return lambda: spool.is_away
