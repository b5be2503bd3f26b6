"""Says when streams cannot keep up: a warning soon, an alarm when it lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.event_logger import LoggerRun, StreamStatus
from objects.component.clock import Clock

log = logging.getLogger(__name__)

WARN_S: Final = 5.0
ALARM_S: Final = 30.0

ALARM: Final = "queue full"


class Pressure:
    """Watches for how long senders have waited for room in the queue of each stream.

    Args:
        clock: The time.
        whom: Name of the logger, e.g. ``obs/logger/1``.
        report: Raises an alarm.
        clear: Says that one is over, given its object.
    """

    def __init__(
        self,
        clock: Clock,
        whom: str,
        report: Callable[[AlarmReport], None],
        clear: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._whom = whom
        self._report = report
        self._clear = clear
        self._warned: set[tuple[int, str]] = set()
        self._alarmed: dict[tuple[int, str], str] = {}

    def look(self, runs: Iterable[LoggerRun]) -> None:
        """Judge the streams of the active runs; to be called each second or so."""
        streams = {(run.run, each.name): each for run in runs for each in run.streams}
        for key, stream in streams.items():
            if stream.blocked_s >= WARN_S and key not in self._warned:
                self._warn(key, stream)
            if stream.blocked_s >= ALARM_S and key not in self._alarmed:
                self._alarm(key, stream)
        blocked = {key for key, each in streams.items() if each.blocked_s > 0}
        for key in self._warned - blocked:
            log.info("run %d: the stream %s takes events again", *key)
        self._warned &= blocked
        for key in self._alarmed.keys() - blocked:
            self._clear(self._alarmed.pop(key))

    def _warn(self, key: tuple[int, str], stream: StreamStatus) -> None:
        self._warned.add(key)
        text = "run %d: senders have waited for %.0f s for the stream %s, where %d events wait"
        log.warning(text, key[0], stream.blocked_s, key[1], stream.queue_events)

    def _alarm(self, key: tuple[int, str], stream: StreamStatus) -> None:
        run, name = key
        object_ = self._alarmed[key] = f"{self._whom}/{run}/{name}"
        self._report(
            AlarmReport(
                object=object_,
                name=ALARM,
                severity=Severity.MAJOR,
                text=f"senders have waited for {stream.blocked_s:.0f} s for the stream {name} of "
                f"run {run}; {stream.queue_events} events wait ({stream.queue_bytes} bytes)",
                cause=stream.problem or "events come faster than its volume takes them",
                remedy="look at the volume's disk (obsorb run status), give the stream another "
                "volume, or pause the run",
                time=self._clock.utc(),
                subsystem="logger",
                attribute="queue_events",
            )
        )
