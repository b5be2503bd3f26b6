"""What a logger does each second: marks, room, pressure; and what it asks of run control."""

from __future__ import annotations

import logging
from typing import Final

from idl_like_interfaces.alarms import AlarmReport
from idl_like_interfaces.event_logger import LOGGER_TOPIC, LoggerStatus, VolumeStatus
from objects.logger_stream.core import Core
from objects.logger_stream.memory import GapSeen, Marks, OrphansSeen
from objects.logger_stream.pressure import ALARM, Pressure
from objects.logger_stream.senders import SenderMark
from objects.logger_stream.space import Level, in_words

log = logging.getLogger(__name__)

PERIOD_S: Final = 1.0

PATIENCE_S: Final = 2.0
"""When run control does not answer a wish for a pause within this time, nothing is read any more."""

_SPACE: Final = "space"


class Housekeeping:
    """Looks after the logger.

    Args:
        core: What it is made of.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        name = f"{core.site.root}/{core.site.name}"
        self._pressure = Pressure(core.site.clock, name, self._report, self._clear)
        self._marks: dict[int, SenderMark] = {}
        self._orphans: dict[int, int] = dict(core.memory.orphans)
        self._levels: dict[str, str] = {}
        self._wished_at = 0.0

    def look(self) -> None:
        """Do all of it once."""
        core = self._core
        core.safe.look()
        self.journal()
        self._pressure.look([run.status() for run in core.runs.active])

    def sync_orphans(self) -> None:
        """Have orphans on the disk; a job of its own, since their disk may hang."""
        self._core.orphans.sync()

    def look_at_space(self) -> None:
        """Look at the volumes; a job of its own, since a disk that hangs holds it up."""
        core = self._core
        core.volumes.look()
        statuses = core.board.get().volumes
        for each in statuses:
            self._tell_level(each)
        self._wish(statuses)

    def publish(self) -> None:
        """Publish the status."""
        self._core.services.publish(LOGGER_TOPIC, self._core.board.get())

    def _report(self, report: AlarmReport) -> None:
        self._core.services.raise_alarm(report)

    def _clear(self, of: str) -> None:
        self._core.services.clear_alarm(ALARM, of, "there is room again")

    def journal(self) -> None:
        """Journal how far senders are durable, and what was noticed; it is not waited for the disk."""
        core = self._core
        found = {mark.incarnation: mark for mark in core.intake.marks()}
        changed = [mark for key, mark in found.items() if self._marks.get(key) != mark]
        if changed:
            core.safe.note(Marks(senders=changed))
        self._marks = found
        for run in core.runs.active:
            for gap in run.take_new_gaps():
                core.safe.note(GapSeen(run=run.number, gap=gap))
        for number, count in core.orphans.counts.items():
            if self._orphans.get(number) != count:
                core.safe.note(OrphansSeen(run=number, count=count))
                self._orphans[number] = count

    def _tell_level(self, volume: VolumeStatus) -> None:
        if self._levels.get(volume.path, Level.OK.word) == volume.level:
            return
        self._levels[volume.path] = volume.level
        self._core.alerts.space(volume.path, volume.level, text_of(volume))

    def _wish(self, volumes: list[VolumeStatus]) -> None:
        """Ask run control for a pause when nothing has room; without an answer read no more."""
        core = self._core
        now = core.site.clock.monotonic()
        wish = wish_of(core, volumes)
        if wish and not core.wish:
            self._wished_at = now
            log.warning("run control is asked for a pause: %s", wish)
        is_new, core.wish = bool(wish) != bool(core.wish), wish
        if core.link is not None and is_new:
            core.link.hurry()
        answered = core.link is not None and bool(core.link.answered_wish)
        if not wish or answered:
            core.runs.hold_all(_SPACE, "")
        elif now - self._wished_at >= PATIENCE_S:
            core.runs.hold_all(_SPACE, f"{wish}; run control does not answer")


def wish_of(core: Core, volumes: list[VolumeStatus]) -> str:
    """Return why the runs should pause: a stream of one has no volume with room; empty: none."""
    level = {each.path: each.level for each in volumes}
    low = {Level.PAUSE.word, Level.CLOSE.word}
    for run in core.runs.active:
        for stream in run.configuration.streams if run.is_recording else ():
            paths = [str(each.path) for each in core.volumes.of(stream.parameters.volumes or ())]
            if paths and all(level.get(path) in low for path in paths):
                worst = next(each for each in volumes if each.path == paths[0])
                return f"stream {stream.name} of run {run.number}: {text_of(worst)}"
    return ""


def text_of(volume: VolumeStatus) -> str:
    """Say how much room there is: ``/data: 4 % free, full in 42 min, stream ALL``."""
    part = 100 * volume.free_bytes / max(1, volume.size_bytes)
    said = [f"{volume.path}: {part:.1f} % free"]
    if volume.full_in_s is not None:
        said.append(in_words(volume.full_in_s))
    if volume.fullest_stream:
        said.append(f"stream {volume.fullest_stream}")
    return ", ".join(said)


def detail_of(status: LoggerStatus) -> str:
    """Say in a few words what a logger is doing."""
    active = [run for run in status.runs if run.ended is None]
    if not active:
        return status.state
    rate = sum(run.events_s for run in active)
    numbers = ", ".join(str(run.run) for run in active)
    return f"{status.state}: run {numbers}, {rate:.0f} events/s"
