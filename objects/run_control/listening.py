"""What run control hears from the alarm service: conditions that pause a run."""

from __future__ import annotations

import logging
import threading

from typing_extensions import override

from idl_like_interfaces.alarms import (
    ALARM_TOPIC,
    PAUSE_TOPIC,
    Alarm,
    AlarmFilter,
    AlarmService,
    Column,
    PauseCondition,
)
from idl_like_interfaces.clients import EventConsumer
from idl_like_interfaces.clients.consumer import Item
from idl_like_interfaces.clients.records import Event
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.run_configuration import RunConfiguration
from idl_like_interfaces.run_control import Member
from objects.component.site import Site
from objects.run_control.conditions import Cause, Conditions

log = logging.getLogger(__name__)

CHECK_S = 10.0
"""So often all that holds is asked for, beside what comes by itself."""

_DEADLINE_S = 3.0
_MOST_ALARMS = 1000


class Listening(Closing):
    """Hears of conditions; any thread may ask what holds.

    Args:
        site: Where run control runs.
        alarms: Name of the alarm service.
        channel: Name of the event channel.
    """

    def __init__(self, site: Site, alarms: str, channel: str) -> None:
        self._site = site
        self._service = site.narrow(alarms, AlarmService, _DEADLINE_S)
        self._consumer = EventConsumer(
            site.narrow(channel, EventChannel),
            [PAUSE_TOPIC, ALARM_TOPIC],
            name=f"{site.root}/{site.name} conditions",
        )
        self._conditions = Conditions()
        self._lock = threading.Lock()
        self._problem = ""
        self._heard = 0
        self._listener = threading.Thread(target=self._listen, name="run conditions")
        self._changed = threading.Event()

    @property
    def changed(self) -> threading.Event:
        """Set when something was heard; who sees it clears it."""
        return self._changed

    @property
    def problem(self) -> str:
        """Why nothing is heard; empty: all is well."""
        return self._problem

    def start(self) -> None:
        """Begin to listen."""
        self._site.keeps_accounts(self._consumer.accounts)
        self._listener.start()
        self._site.every(CHECK_S, self.check)

    @override
    def close(self) -> None:
        """Listen no more."""
        self._consumer.close()
        if self._listener.is_alive():
            self._listener.join()

    def causes(self, configuration: RunConfiguration, members: list[str]) -> list[Cause]:
        """Return for what a run must pause now."""
        with self._lock:
            return self._conditions.causes(configuration, members)

    def texts(self) -> list[str]:
        """Return the conditions that would pause any run, in words."""
        with self._lock:
            return self._conditions.all_texts()

    def hear_members(self, members: list[Member]) -> None:
        """Take what all present members wish."""
        with self._lock:
            self._conditions.hear_members(members)
        self._changed.set()

    def check(self) -> None:
        """Ask for all that holds; while the service is away what was heard last counts."""
        try:
            heard = self._heard
            held = self._service.pause_conditions()
            alarms = self._service.get_alarms(AlarmFilter(columns=[Column.BAD]), _MOST_ALARMS)
        except RemoteError as error:
            self._problem = f"the alarm service cannot be asked: {error.message}"
            return
        self._problem = ""
        with self._lock:
            # What came meanwhile may be newer than the answer: the next round sorts it out.
            if heard == self._heard:
                self._conditions.hear_all(held, alarms)
        self._changed.set()

    def _listen(self) -> None:
        self.check()
        for item in self._consumer:
            try:
                self._hear(item)
            except RemoteError as error:
                log.warning("a condition could not be understood: %s", error)

    def _hear(self, item: Item) -> None:
        if not isinstance(item, Event):
            self.check()  # something was missed
            return
        with self._lock:
            self._heard += 1
            if item.topic == PAUSE_TOPIC:
                self._conditions.hear_condition(item.as_(PauseCondition))
            else:
                self._conditions.hear_alarm(item.as_(Alarm))
        self._changed.set()
