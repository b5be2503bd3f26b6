"""Run control over loggers that a test has in its hands."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from typing_extensions import override

from idl_like_interfaces.alarms import AlarmFilter
from idl_like_interfaces.run_configuration import (
    Quality,
    RunBegin,
    RunConfiguration,
    RunEnd,
    Writer,
    WriterKind,
)
from idl_like_interfaces.run_control import Run, RunControl
from objects.component.clock import SystemClock
from objects.run_control.component import RunControlComponent, RunControlSettings
from tests.support.clock import ManualClock
from tests.support.eventually import eventually
from tests.support.file_logger import FileLogger
from tests.support.site import FakeSite


class LivingClock(ManualClock):
    """The time of the host, which a test may push on."""

    def __init__(self) -> None:
        super().__init__()
        self._system = SystemClock()
        self._pushed = 0.0
        self._stepped = timedelta()

    @override
    def utc(self) -> datetime:
        return self._system.utc() + timedelta(seconds=self._pushed) + self._stepped

    @override
    def set_utc(self, utc: datetime) -> None:
        self._stepped += utc - self.utc()

    @override
    def monotonic(self) -> float:
        return self._system.monotonic() + self._pushed

    @override
    def advance(self, seconds: float) -> None:
        self._pushed += seconds


def logger_writer(name: str, stream_id: int, **changes: object) -> Writer:
    """Return a writer that is a logger with one stream."""
    streams = [{"name": f"s{stream_id}", "id": stream_id}]
    return Writer(
        **{
            "name": name,
            "kind": WriterKind.LOGGER,
            "reference": f"obs/logger/{name}/control",
            "configuration": {"streams": streams},
            **changes,  # type: ignore[arg-type]
        }
    )


def configuration(*writers: Writer, **changes: object) -> RunConfiguration:
    """Return a configuration with short deadlines."""
    return RunConfiguration(
        **{  # type: ignore[arg-type]
            "writers": list(writers),
            "start_timeout_s": 5.0,
            "end_timeout_s": 5.0,
            **changes,
        }
    )


class Hall:
    """Run control with loggers ``a``, ``b``, … beside it, all in this process.

    Attributes:
        site: Where it runs.
        loggers: By name.
        alarms: The alarm service.
        service: Run control.
        token: Of the control lease.
    """

    def __init__(self, folder: Path, names: str = "ab", *, takes_control: bool = True) -> None:
        self.folder = folder
        self.site = FakeSite(folder, name="run")
        self.site.clock = LivingClock()
        self.loggers = {name: FileLogger(name, folder / name) for name in names}
        for name in names:
            self.come_back(name)
        self.alarms = QuietAlarms()
        self.site.bind("obs/alarms", self.alarms)
        self.component = self._start()
        self.token = ""
        if takes_control:
            self.token = self.service.take_control("anna", "here", 3600.0).token

    def _start(self) -> RunControlComponent:
        component = RunControlComponent(self.site, RunControlSettings(lost_after_s=0.5))
        component.recover()
        self.service = cast("RunControl", component.objects()[0].servant)
        component.start()
        return component

    def restart(self) -> None:
        """End run control and start it again over the same store."""
        self.component.stop()
        self.component = self._start()

    def close(self) -> None:
        """End it."""
        self.component.stop()

    def go_away(self, name: str) -> None:
        """Let a logger answer no more."""
        self.site.unbind(f"obs/logger/{name}/control")

    def come_back(self, name: str) -> None:
        """Let a logger answer, as one that was started again when it was there before."""
        self.loggers[name] = FileLogger(name, self.folder / name)
        self.site.bind(f"obs/logger/{name}/control", self.loggers[name])

    def configure(self, *writers: Writer, **changes: object) -> RunConfiguration:
        """Configure it, by default with all loggers."""
        made = writers or tuple(
            logger_writer(name, number) for number, name in enumerate(self.loggers, 1)
        )
        found = configuration(*made, **changes)
        self.service.configure(self.token, found)
        return found

    def start(self, comment: str = "test", **changes: object) -> Run:
        """Start a run."""
        begin = RunBegin(shifter="anna", comment=comment, data_type="test", **changes)  # type: ignore[arg-type]
        return self.service.start(self.token, begin, uuid.uuid4().hex)

    def end(self, run: int, quality: Quality = Quality.GOOD, comment: str = "enough") -> Run:
        """End a run."""
        return self.service.end(self.token, run, RunEnd(quality=quality, comment=comment))

    def until(self, run: int, wanted: Callable[[Run], bool], what: str) -> Run:
        """Wait until a run is as wanted."""
        eventually(lambda: wanted(self.service.get_run(run)), what, 30.0)
        return self.service.get_run(run)


class QuietAlarms:
    """An alarm service of which only what holds is asked."""

    def __init__(self) -> None:
        self.conditions: list[object] = []
        self.alarms: list[object] = []

    def pause_conditions(self) -> list[object]:
        """Return the conditions of the script."""
        return self.conditions

    def get_alarms(self, filter: AlarmFilter, limit: int) -> list[object]:
        """Return the alarms of the script."""
        return self.alarms


@contextmanager
def hall(folder: Path, names: str = "ab", *, takes_control: bool = True) -> Iterator[Hall]:
    """Run it for a test."""
    found = Hall(folder, names, takes_control=takes_control)
    try:
        yield found
    finally:
        found.close()
