"""An alarm service whose time a test moves, and what is reported to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from typing_extensions import override

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmBatch,
    AlarmClear,
    AlarmNote,
    AlarmReport,
    AllReported,
    PauseCondition,
    ReportReply,
    Severity,
)
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.declare import Value
from objects.alarms.condition import Moment
from objects.alarms.desk import AlarmDesk
from objects.alarms.servant import AlarmServiceServant
from objects.alarms.store import AlarmLog
from tests.support.clock import ManualClock

NIGHT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVICE = "obs/alarms"


def report(name: str = "disk full", **changes: Any) -> AlarmReport:
    """A report of the DPM's disk, unless told otherwise."""
    values: dict[str, Any] = {
        "object": "obs/dpm",
        "name": name,
        "severity": Severity.MAJOR,
        "text": "3 MB are left",
        "cause": "many products",
        "remedy": "remove some",
        "time": NIGHT,
        "subsystem": "archive",
    }
    return AlarmReport(**(values | changes))


def clear(name: str = "disk full", object: str = "obs/dpm") -> AlarmClear:
    """The end of what ``report`` reports."""
    return AlarmClear(object=object, name=name, time=NIGHT)


def batch(
    first: int,
    *reports: AlarmReport | AlarmClear | AlarmNote | AllReported,
    source: str = "obs/dpm",
    incarnation: str = "i1",
    lost: int = 0,
) -> AlarmBatch:
    """Return a batch of the DPM, unless told otherwise."""
    return AlarmBatch(
        source=source, incarnation=incarnation, first=first, reports=list(reports), lost=lost
    )


def heart(
    state: ComponentState = ComponentState.RUNNING, component: str = "dpm", incarnation: str = "i1"
) -> Heartbeat:
    """A heartbeat."""
    return Heartbeat(component=component, kind="test", incarnation=incarnation, state=state)


class AlarmBench(Closing):
    """The servant over files of a folder; its clock stands still until it is moved.

    Attributes:
        servant: The service; another one after ``restart``.
        clock: Its time.
        events: What it published, in order.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.clock = ManualClock(NIGHT)
        self.events: list[tuple[str, Value]] = []
        self._options = options
        self._starts = 0
        self._next = 1
        self.servant = self._start()

    def _start(self) -> AlarmServiceServant:
        self._starts += 1
        at = Moment(utc=self.clock.utc(), monotonic=self.clock.monotonic())
        desk = AlarmDesk(SERVICE, f"service {self._starts}", at, **self._options)
        self.store = AlarmLog(self.folder)
        servant = AlarmServiceServant(
            desk, self.store, self.clock, lambda topic, body: self.events.append((topic, body))
        )
        servant.recover(SERVICE)
        return servant

    def restart(self, *, forget: bool = False, orderly: bool = False) -> None:
        """Be killed and start again; nothing that was acknowledged was in memory only.

        Args:
            forget: With an empty store.
            orderly: End in good order.
        """
        if orderly:
            self.servant.close()
        if forget:
            for file in self.folder.iterdir():
                file.unlink()
        self.servant = self._start()

    def wait(self, seconds: float) -> None:
        """Let time pass, as the component does it (in longer steps when it is long)."""
        step_s = max(0.25, seconds / 100)
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            self.servant.pass_time()
            seconds -= step_s

    def say(self, *reports: AlarmReport | AlarmClear | AlarmNote | AllReported) -> ReportReply:
        """Report as the DPM does, with the next numbers."""
        first, self._next = self._next, self._next + len(reports)
        return self.servant.report(batch(first, *reports))

    def published(self, topic: str, fits: Callable[[Any], bool] = lambda _: True) -> list[Any]:
        """Return the bodies published on a topic, and forget none."""
        return [body for where, body in self.events if where == topic and fits(body)]

    def alarm(self, name: str = "disk full") -> Alarm:
        """Return the one alarm of a name."""
        (found,) = [each for each in self.servant.get_alarms() if each.report.name == name]
        return found

    def pauses(self) -> list[tuple[int, bool]]:
        """Return number and end of each announcement that a run must pause."""
        return [
            (body.number, body.is_over)
            for _, body in self.events
            if isinstance(body, PauseCondition)
        ]

    @override
    def close(self) -> None:
        self.servant.close()
