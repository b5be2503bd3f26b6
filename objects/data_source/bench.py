"""A source on the bench: tried without an installation, before it gets into one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.announcements import FILE_FINISHED_TOPIC, FileFinished
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.events import Priority
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.oldb import Quality
from objects.component.clock import Clock, SystemClock
from objects.component.site import ActiveObject, Offered, Site
from objects.component.timetable import Timetable
from objects.data_source.components import SourceComponent

log = logging.getLogger(__name__)

Source = TypeVar("Source", bound=SourceComponent)
Remote = TypeVar("Remote")


@contextmanager
def on_bench(
    component: type[Source], settings: msgspec.Struct, folder: Path, name: str = "bench"
) -> Iterator[Source]:
    """Run a source here, with real time and real files, but without names and events.

    Args:
        component: Its class.
        settings: Its settings.
        folder: Data root; made when it is missing.
        name: Its name.

    Yields:
        The component; its objects can be called directly. It is stopped at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    timetable = Timetable()
    try:
        source = component(BenchSite(name, folder, timetable), settings)
        source.recover()
        source.start()
        try:
            yield source
        finally:
            source.stop()
    finally:
        timetable.close()


class BenchSite(Site):
    """A site where events are logged and no other object has a name.

    Args:
        name: Name of the source.
        data_root: Its data; exists.
        timetable: Runs its periodic work.
    """

    def __init__(self, name: str, data_root: Path, timetable: Timetable) -> None:
        self.name = name
        self.root = "bench"
        self.incarnation = "bench"
        self.data_root = data_root
        self.clock: Clock = SystemClock()
        self.exit_requested = threading.Event()
        self._timetable = timetable

    @override
    def narrow(self, reference: str, interface: type[Remote], deadline_s: float = 10.0) -> Remote:
        raise Transient(f"{reference} cannot be reached: there are no names on the bench")

    @override
    def naming(self, deadline_s: float = 10.0) -> NamingContext:
        raise Transient("there are no names on the bench")

    @override
    def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
        log.info("event %s: %s", topic, body)

    @override
    def record(self, key: str, value: Any, quality: Quality = Quality.OK) -> None:
        log.info("value %s: %s (%s)", key, value, quality)

    @override
    def forget(self, key: str) -> None:
        log.info("value %s is no more", key)

    @override
    def raise_alarm(self, report: AlarmReport) -> None:
        log.error("alarm %s of %s: %s", report.name, report.object, report.text)

    @override
    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        log.info("alarm %s of %s is over: %s", name, object or self.name, text)

    @override
    def note(self, text: str) -> None:
        log.info("note: %s", text)

    @override
    def links(self) -> dict[str, str]:
        return dict.fromkeys(("names", "channel", "alarms"), "there are none on the bench")

    @override
    def offer(self, offered: ActiveObject, port: int = 0) -> Offered:
        raise Transient(f"{offered.path} cannot be offered: there are no names on the bench")

    @override
    def keeps_accounts(self, accountant: Callable[[], list[Account]]) -> None:
        log.debug("accounts are kept, and nobody asks for them on the bench")

    @override
    def announce(self, file: FileFinished) -> None:
        self.publish(FILE_FINISHED_TOPIC, file)

    @override
    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        return self._timetable.every(period_s, action)

    @override
    def request_exit(self) -> None:
        self.exit_requested.set()
