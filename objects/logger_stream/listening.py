"""What follows from what becomes of a run's files: announcements, alarms, what is missing."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.event_logger import WrittenFile
from idl_like_interfaces.mapping.wire import host_name
from objects.component.site import Site
from objects.logger_stream.alerts import Alerts
from objects.logger_stream.failure import SafeJournal
from objects.logger_stream.memory import Told
from objects.logger_stream.surroundings import StreamListener

log = logging.getLogger(__name__)

KIND = "eventfile"


class RunListener(StreamListener):
    """Is told by the streams of one run, each in its own thread.

    Args:
        run: Number of the run.
        site: Where files are announced.
        journal: Remembers what was announced.
        alerts: Where troubles are reported.
        told: Paths of the files that an earlier start has announced.
    """

    def __init__(
        self, run: int, site: Site, journal: SafeJournal, alerts: Alerts, told: set[str]
    ) -> None:
        self._run = run
        self._site = site
        self._journal = journal
        self._alerts = alerts
        self._lock = threading.Lock()
        self._told = set(told)
        self._lost: list[str] = []

    @property
    def lost(self) -> list[str]:
        """Accepted events that are on no disk, in words."""
        with self._lock:
            return list(self._lost)

    def note_lost(self, text: str) -> None:
        """Take note of what is missing of what was accepted, in words."""
        with self._lock:
            self._lost.append(text)

    @override
    def file_opened(self, file: WrittenFile) -> None:
        log.debug("run %d: %s is open", self._run, file.path)

    @override
    def file_closed(self, file: WrittenFile) -> None:
        with self._lock:
            if file.path in self._told:
                return
            self._told.add(file.path)
        self._site.announce(
            FileFinished(
                path=str(Path(file.path).absolute()),
                host=host_name(),
                kind=KIND,
                owner=str(self._run),
                size_bytes=file.size_bytes,
                digest=file.digest,
            )
        )
        self._journal.note(Told(run=self._run, path=file.path), sync=True)
        text = "run %d: %s is closed (%s): %d events, %d bytes"
        log.info(text, self._run, file.path, file.reason_closed, file.events, file.size_bytes)

    @override
    def file_failed(self, file: WrittenFile) -> None:
        log.error("run %d: %s is in ERROR: %s", self._run, file.path, file.problem)
        self._alerts.file_failed(file)

    @override
    def stream_troubled(self, stream: str, problem: str) -> None:
        log.error("run %d: stream %s cannot write: %s", self._run, stream, problem)
        self._alerts.stream_troubled(self._run, stream, problem)

    @override
    def stream_recovered(self, stream: str) -> None:
        log.info("run %d: stream %s writes again", self._run, stream)
        self._alerts.stream_recovered(stream)

    @override
    def events_lost(self, stream: str, count: int, reason: str) -> None:
        self.note_lost(f"{count} accepted events of stream {stream} are lost: {reason}")
        log.critical("run %d: %d events of stream %s are lost", self._run, count, stream)
        self._alerts.events_lost(self._run, stream, count, reason)
