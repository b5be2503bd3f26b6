"""A site without a process: what a component does there can be looked at."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from typing_extensions import override

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.announcements import FILE_FINISHED_TOPIC, FileFinished
from idl_like_interfaces.clients.oldb_values import check_key, plain_value
from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.events import Priority
from idl_like_interfaces.naming import OBJECT_ID, NamingContext
from idl_like_interfaces.oldb import Quality
from objects.component.site import ActiveObject, Offered, Site
from tests.support.clock import ManualClock

T = TypeVar("T")


class FakeSite(Site):
    """Names are servants, events a list, time stands still, periodic jobs run on demand.

    Attributes:
        events: What was published, in order.
        recorded: Values of the online database by key, plain.
        alarms: Conditions that hold, by object and name.
        cleared: Object and name of each condition that was said to be over, in order.
        accountants: What gives further accounts.
        notes: What was entered into the alarm service's history, in order.
        offered: Further objects that are offered now, by path.
        busy_ports: Ports at which nothing can be offered.
    """

    def __init__(self, data_root: Path, name: str = "tested", root: str = "obs") -> None:
        self.name = name
        self.root = root
        self.incarnation = "20260102T030405-00000001"
        self.data_root = data_root
        self.clock: ManualClock = ManualClock()
        self.events: list[tuple[str, Value]] = []
        self.recorded: dict[str, Any] = {}
        self.alarms: dict[tuple[str, str], AlarmReport] = {}
        self.cleared: list[tuple[str, str]] = []
        self.accountants: list[Callable[[], list[Account]]] = []
        self.notes: list[str] = []
        self.offered: dict[str, ActiveObject] = {}
        self.busy_ports: set[int] = set()
        self.exit_requested = threading.Event()
        self._bound: dict[str, object] = {}
        self._jobs: list[Callable[[], None]] = []
        self._news = threading.Condition()

    def bind(self, name: str, servant: object) -> None:
        """Let ``narrow(name)`` return the servant itself."""
        self._bound[name] = servant

    def unbind(self, name: str) -> None:
        """Let ``narrow(name)`` return something whose every call finds nobody."""
        self._bound.pop(name, None)

    @override
    def narrow(self, reference: str, interface: type[T], deadline_s: float = 10.0) -> T:
        return cast("T", _Late(self._bound, reference))

    @override
    def naming(self, deadline_s: float = 10.0) -> NamingContext:
        return self.narrow(OBJECT_ID, NamingContext)

    @override
    def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
        with self._news:
            self.events.append((topic, body))
            self._news.notify_all()

    @override
    def record(self, key: str, value: Any, quality: Quality = Quality.OK) -> None:
        check_key(f"{self.name}/{key}")
        with self._news:
            self.recorded[key] = plain_value(value)
            self._news.notify_all()

    @override
    def forget(self, key: str) -> None:
        check_key(f"{self.name}/{key}")
        with self._news:
            self.recorded.pop(key, None)
            self._news.notify_all()

    @override
    def raise_alarm(self, report: AlarmReport) -> None:
        with self._news:
            self.alarms[report.object, report.name] = report
            self._news.notify_all()

    @override
    def clear_alarm(self, name: str, object: str = "", text: str = "") -> None:
        known = (object or f"{self.root}/{self.name}", name)
        with self._news:
            self.alarms.pop(known, None)
            self.cleared.append(known)
            self._news.notify_all()

    @override
    def note(self, text: str) -> None:
        with self._news:
            self.notes.append(text)
            self._news.notify_all()

    @override
    def links(self) -> dict[str, str]:
        return dict.fromkeys(("names", "channel", "alarms"), "connected")

    @override
    def offer(self, offered: ActiveObject, port: int = 0) -> Offered:
        if port in self.busy_ports:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return _FakeOffer(self.offered, offered, port or 4711)

    @override
    def keeps_accounts(self, accountant: Callable[[], list[Account]]) -> None:
        self.accountants.append(accountant)

    @override
    def announce(self, file: FileFinished) -> None:
        self.publish(FILE_FINISHED_TOPIC, file)

    def await_event(self, wanted: Callable[[str, Any], bool], timeout_s: float = 20.0) -> Value:
        """Return the first event that is wanted, waiting for it.

        Raises:
            AssertionError: It did not come.
        """

        def found() -> Value | None:
            return next((body for topic, body in self.events if wanted(topic, body)), None)

        with self._news:
            self._news.wait_for(lambda: found() is not None, timeout_s)
            body = found()
        assert body is not None, f"the event did not come; there were {self.events}"
        return body

    @override
    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        self._jobs.append(action)

        def end() -> None:
            if action in self._jobs:
                self._jobs.remove(action)

        return end

    def tick(self) -> None:
        """Run every periodic job once, here."""
        for job in list(self._jobs):
            job()

    @override
    def request_exit(self) -> None:
        self.exit_requested.set()


class _FakeOffer(Offered):
    """Stands in a dict as long as it is open."""

    def __init__(self, all: dict[str, ActiveObject], offered: ActiveObject, port: int) -> None:
        self.port = port
        self._all = all
        self._path = offered.path
        all[offered.path] = offered

    @override
    def close(self) -> None:
        self._all.pop(self._path, None)


class _Late:
    """Looks the servant up at each call, as a stub of a name does."""

    def __init__(self, bound: dict[str, object], reference: str) -> None:
        self._bound = bound
        self._reference = reference

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            servant = self._bound.get(self._reference)
            if servant is None:
                raise Transient(f"{self._reference} cannot be reached: nothing has that name")
            return getattr(servant, name)(*args, **kwargs)

        return call
