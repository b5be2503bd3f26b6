"""What a logger reports to the alarm service, each with its cause and what to do about it."""

from __future__ import annotations

from idl_like_interfaces.alarms import AlarmReport, Severity
from idl_like_interfaces.event_logger import WrittenFile
from objects.component.clock import Clock
from objects.logger_stream.services import Services

SUBSYSTEM = "logger"


class Alerts:
    """The alarms of one logger; any thread may raise and clear them, nothing waits.

    Args:
        services: Where they go.
        name: What they are about, e.g. ``obs/logger0``.
        clock: The time.
    """

    def __init__(self, services: Services, name: str, clock: Clock) -> None:
        self._services = services
        self._name = name
        self._clock = clock

    def use(self, services: Services) -> None:
        """Report elsewhere from now on."""
        self._services = services

    def file_failed(self, file: WrittenFile) -> None:
        """A file is in ERROR."""
        self._raise(
            "file error",
            Severity.MAJOR,
            f"{file.path} is in ERROR: {file.problem}",
            cause="the disk is full or broken; what the file has is kept, and what followed goes "
            "to another file",
            remedy="look at the volume; check the file with: obsorb stream verify",
            of=f"stream {file.stream}",
        )

    def stream_troubled(self, run: int, stream: str, problem: str) -> None:
        """A stream cannot write anywhere."""
        self._raise(
            "stream does not write",
            Severity.MAJOR,
            f"stream {stream} of run {run} cannot write: {problem}",
            cause="no volume of the stream can be written; its events wait in memory and at their "
            "senders",
            remedy="make room on a volume or mend it; it goes on by itself",
            of=f"stream {stream}",
            pauses_run=True,
        )

    def stream_recovered(self, stream: str) -> None:
        """It writes again."""
        self._clear("stream does not write", f"stream {stream}", "it writes again")

    def events_lost(self, run: int, stream: str, count: int, reason: str) -> None:
        """Accepted events are on no disk."""
        self._raise(
            "events lost",
            Severity.MAJOR,
            f"{count} accepted events of stream {stream} in run {run} are lost: {reason}",
            cause="the disk gave back less than was written to it",
            remedy="look at the disk; the certificate of the run tells what is missing",
            of=f"stream {stream}",
        )

    def orphans(self, run: int, sender: str, path: str) -> None:
        """Events of no active run came first."""
        self._raise(
            "orphan events",
            Severity.MAJOR,
            f"{sender} sends events of run {run}, which is not active",
            cause="the source has another run number than run control, the run was not started "
            "here, or has ended",
            remedy=f"set the run number of the source right; what came is kept in {path}",
            of=f"run {run}",
        )

    def mismatch(self, run: int, wrong: int, sender: str) -> None:
        """Wrong run numbers come again and again from a sender of a run."""
        self._raise(
            "run number mismatch",
            Severity.MAJOR,
            f"{sender} sends events of run {wrong} into run {run} again and again: the files that "
            "they were meant for were closed",
            cause="a part of the source has kept another run number",
            remedy="set its run number right; end run and begin a new one if that takes long",
            of=f"run {run}",
        )

    def space(self, volume: str, level: str, text: str) -> None:
        """A volume fills up; level ``ok``: it does not any more."""
        if level == "ok":
            self._clear("volume fills up", volume, text)
            return
        self._raise(
            "volume fills up",
            Severity.WARNING if level == "warning" else Severity.MAJOR,
            text,
            cause="files are written faster than they are shipped and removed",
            remedy="ship or remove files, or configure another volume for the runs to come",
            of=volume,
        )

    def failure(self, problem: str) -> None:
        """FAILURE: the logger cannot go on; empty: it can again."""
        if not problem:
            self._clear("failure", "", "it goes on")
            return
        self._raise(
            "failure",
            Severity.FATAL,
            f"the logger accepts nothing: {problem}",
            cause="what it is told and does can not be made safe",
            remedy="make room on the disk of the data root, or mend it; the logger goes on by itself",
            pauses_run=True,
        )

    def _raise(
        self,
        name: str,
        severity: Severity,
        text: str,
        *,
        cause: str,
        remedy: str,
        of: str = "",
        pauses_run: bool = False,
    ) -> None:
        report = AlarmReport(
            object=self._object(of),
            name=name,
            severity=severity,
            text=text,
            cause=cause,
            remedy=remedy,
            time=self._clock.utc(),
            subsystem=SUBSYSTEM,
            pauses_run=pauses_run,
        )
        self._services.raise_alarm(report)

    def _clear(self, name: str, of: str, text: str) -> None:
        self._services.clear_alarm(name, self._object(of), text)

    def _object(self, of: str) -> str:
        return f"{self._name}/{of}" if of else self._name
