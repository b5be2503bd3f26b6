"""The processes of the flood of alarms: the service with a channel, who reports, who is told."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.channel_account import SILENCE_S
from idl_like_interfaces.alarms import (
    ALARM_TOPIC,
    Alarm,
    AlarmReport,
    AlarmService,
    Severity,
)
from idl_like_interfaces.clients import AlarmReporter, Event, EventConsumer, EventSupplier
from idl_like_interfaces.declare import Value
from idl_like_interfaces.events import EventChannel, Priority
from idl_like_interfaces.mapping import ObjectAdapter, make_incarnation, narrow, release
from objects.alarms.component import TICK_S
from objects.alarms.condition import Moment
from objects.alarms.desk import AlarmDesk
from objects.alarms.servant import AlarmServiceServant
from objects.alarms.store import AlarmLog
from objects.component.clock import SystemClock
from objects.messaging.channel import EventChannelServant

SUBSYSTEMS = ("detector", "archive", "merger", "telescope")

_CONDITIONS = tuple(
    f"{what} {how}"
    for what in ("disk", "fan", "supply", "link", "sensor")
    for how in ("failed", "slow", "hot", "full", "silent")
)
_SEVERITIES = tuple(Severity)
_FLUSH_S = 60.0


def report(number: int) -> AlarmReport:
    """Return one of many alarms: 25 conditions of any number of crates."""
    crate, kind = divmod(number, len(_CONDITIONS))
    return AlarmReport(
        object=f"crate {crate}/slot {kind}",
        name=_CONDITIONS[kind],
        severity=_SEVERITIES[kind % len(_SEVERITIES)],
        text=f"crate {crate} reports: {_CONDITIONS[kind]}",
        cause="the power of the hall was lost",
        remedy="wait for the power, then start the crates one by one",
        time=datetime.now(UTC),
        subsystem=SUBSYSTEMS[crate % len(SUBSYSTEMS)],
    )


class Server(ExitStack):
    """An alarm service and the channel on which it tells; says where both are."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        adapter = self.enter_context(ObjectAdapter())
        channel = EventChannelServant(adapter.incarnation)
        self.callback(channel.close)
        self._supplier = EventSupplier(channel, "obs/alarms", adapter.incarnation)
        self.callback(self._supplier.close)
        self._servant = self._service(Path(folder), adapter.incarnation)
        self._end = threading.Event()
        ticking = threading.Thread(target=self._tick, name="alarms tick")
        ticking.start()
        self.callback(ticking.join)
        self.callback(self._end.set)
        self.hello = {
            "alarms": adapter.activate(self._servant, AlarmService, "alarms"),
            "events": adapter.activate(channel, EventChannel, "events"),
        }

    def _service(self, folder: Path, incarnation: str) -> AlarmServiceServant:
        clock = SystemClock()
        at = Moment(utc=clock.utc(), monotonic=clock.monotonic())
        desk = AlarmDesk("obs/alarms", incarnation, at)
        servant = AlarmServiceServant(desk, AlarmLog(folder), clock, self._publish)
        servant.recover("obs/alarms")
        self.callback(servant.close)
        return servant

    def _publish(self, topic: str, body: Value) -> None:
        self._supplier.publish(topic, body, priority=Priority.HIGH)

    def _tick(self) -> None:
        while not self._end.wait(TICK_S):
            self._servant.pass_time()


class Crates(ExitStack):
    """A component whose crates all fail at once."""

    hello = ""

    def __init__(self, uri: str) -> None:
        super().__init__()
        service = narrow(uri, AlarmService)
        self.callback(release, service)
        self._reporter = self.enter_context(
            AlarmReporter(service, "obs/crates", make_incarnation())
        )

    def fail(self, count: int) -> dict[str, float]:
        """Raise so many alarms; return when that began and when the service had all of them."""
        began = time.monotonic()
        for number in range(count):
            self._reporter.raise_alarm(report(number))
        self._reporter.flush(_FLUSH_S)
        return {"began": began, "taken": time.monotonic()}


class Operator(ExitStack):
    """Who is told of alarms, and looks at the list."""

    hello = ""

    def __init__(self, alarms: str, events: str) -> None:
        super().__init__()
        self._service = narrow(alarms, AlarmService)
        self.callback(release, self._service)
        channel = narrow(events, EventChannel)
        self.callback(release, channel)
        self._consumer = self.enter_context(EventConsumer(channel, [ALARM_TOPIC], name="operator"))
        self._consumer.connect()

    def hear(self, count: int) -> dict[str, float]:
        """Read until so many alarms were told, or silence; return how many, and when."""
        heard: set[int] = set()
        ended = time.monotonic()
        while len(heard) < count:
            items = self._consumer.read(SILENCE_S)
            if not items:
                break
            heard.update(each.as_(Alarm).alarm_id for each in items if isinstance(each, Event))
            ended = time.monotonic()
        return {"heard": len(heard), "ended": ended}

    def look(self) -> dict[str, Any]:
        """Ask for the list; return how long that took, its lines, and for how many they stand."""
        began = time.monotonic()
        overview = self._service.overview()
        return {
            "seconds": time.monotonic() - began,
            "lines": len(overview.lines),
            "alarms": sum(line.count for line in overview.lines),
        }
