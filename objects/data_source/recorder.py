"""The servant of a detector: it runs one recording session at a time."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from typing_extensions import override

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.recif import (
    RecCmds,
    RecExceptionErr,
    RecProperties,
    RecStatus,
    RecStatusName,
    RecWaitStatus,
)
from objects.component.site import Site
from objects.data_source.admission import check_properties, check_startable
from objects.data_source.fits_file import FitsRecording, RecordFacts
from objects.data_source.frame import FramePlan, FrameSource
from objects.data_source.output import OutputFolder, announcement, unwritable
from objects.data_source.readiness import SourceNotReady
from objects.data_source.recording import Recording
from objects.data_source.session import Command, Session
from objects.data_source.session_log import HISTORY, SessionLog

log = logging.getLogger(__name__)

FINISH_DEADLINE_S = 8.0
"""A stop waits so long for the file; below the deadline of a call."""


class Recorder(RecCmds):
    """Records what a frame source gives into one FITS file for each session.

    A session that fails leaves no file under its final name; frames that it had
    recorded are put aside (``.broken``).

    Args:
        site: Where it runs.
        source: What gives the frames.
        folder: Where the files go.
    """

    def __init__(self, site: Site, source: FrameSource, folder: OutputFolder) -> None:
        self._site = site
        self._source = source
        self._folder = folder
        self._sessions = SessionLog(site.clock)
        self._starting = threading.Lock()
        self._recording: Recording | None = None

    @override
    def rec_start(self, properties: RecProperties) -> RecStatus:
        with self._starting:
            check_properties(properties, self._site.clock.utc())
            id = properties.id or self._new_id()
            check_startable(id, self._sessions.current, used=self._is_used(id))
            try:
                with log_owner(id):
                    return self._start(id, properties)
            except SourceNotReady as error:
                raise RecExceptionErr(
                    error.message, cause=error.cause, remedy=error.remedy, id=id
                ) from error

    @override
    def rec_stop(self) -> RecStatus:
        session = self._end_by(Command.STOP)
        if not session.status.is_good:
            raise RecExceptionErr(
                f"Session {session.id} was to be stopped and is {session.status}",
                cause=session.info,
                remedy="See the log of the source; start a new session.",
                id=session.id,
            )
        return self._sessions.report(session)

    @override
    def rec_abort(self) -> str:
        session = self._end_by(Command.ABORT)
        return f"session {session.id} aborted, {session.frames} frames discarded"

    @override
    def rec_pause(self) -> RecStatus:
        return self._sessions.report(self._sessions.command(Command.PAUSE))

    @override
    def rec_continue(self) -> RecStatus:
        return self._sessions.report(self._sessions.command(Command.CONTINUE))

    @override
    def rec_status(self, id: str = "") -> RecStatus:
        session = self._sessions.get(id) if id else self._sessions.current
        if session is not None:
            return self._sessions.report(session)
        if not id:
            return RecStatus(id="", status=RecStatusName.INACTIVE)
        raise RecExceptionErr(
            f"There was no session {id!r}",
            cause=f"The source knows the last {HISTORY} since it is up.",
            remedy="Compare the id; an empty one means the last session.",
            id=id,
        )

    @override
    def rec_wait(self, timeout_s: float) -> RecWaitStatus:
        session = self._sessions.current
        if session is None:
            raise RecExceptionErr(
                "There was no session to wait for",
                cause="None has been started since the source is up.",
                remedy="Start one with rec_start first.",
                id="",
            )
        return self._sessions.poll_end(session.id, self._waited, timeout_s)

    def _waited(self, session: Session) -> RecWaitStatus:
        status = self._sessions.report(session)
        return RecWaitStatus(timed_out=not status.status.is_final, status=status)

    def complete(self) -> str:
        """Let the session end by itself, as if it had all its frames.

        Returns:
            Its id; empty: none runs.
        """
        session = self._sessions.complete()
        return session.id if session is not None else ""

    def close(self) -> None:
        """End a session that runs, keep its data, and give the folder free."""
        try:
            session = self._sessions.command(Command.STOP)
            owner = {"owner": session.id}
            log.warning("session %s is stopped: the source goes down", session.id, extra=owner)
        except RecExceptionErr:
            log.debug("no session to stop")
        if self._recording is not None:
            self._recording.join()
        self._folder.close()

    def detail(self) -> str:
        """Say in a few words what it is doing."""
        session = self._sessions.current
        if session is None or session.status.is_final:
            return "idle"
        of = f" of {session.frames_wanted}" if session.frames_wanted else ""
        return f"{session.status.lower()}, {session.frames}{of} frames"

    def _start(self, id: str, properties: RecProperties) -> RecStatus:
        self._folder.ensure_open()
        try:
            plan = self._plan(properties)
            now = self._site.clock.utc()
            facts = RecordFacts(
                source=self._site.name,
                id=id,
                info=properties.info,
                period_s=plan.period_s,
                begin=now,
                end=now,
            )
            file = self._new_file(id, plan.primary, facts)
        except BaseException:
            self._source.ensure_stopped()
            raise
        session = self._sessions.add(Session.planned(id, properties, plan))
        self._recording = Recording(
            self._sessions, self._source, file, facts, self._announce, self._site.clock
        )
        self._recording.start()
        log.info("session %s begins", id)
        return self._sessions.report(session)

    def _plan(self, properties: RecProperties) -> FramePlan:
        try:
            return self._source.ensure_ready(properties)
        except SourceNotReady:
            raise
        except Exception as error:
            log.exception("the frame source of %s is not ready", self._site.name)
            raise SourceNotReady(
                f"{self._site.name} gives no frames",
                cause=str(error) or type(error).__name__,
                remedy="Look at the instrument and at the log of the source.",
            ) from error

    def _new_file(self, id: str, primary: list[str], facts: RecordFacts) -> FitsRecording:
        try:
            return FitsRecording(self._folder.file_of(id), primary, facts)
        except OSError as error:
            raise unwritable(self._folder.path, error) from error

    def _announce(self, file: FitsRecording) -> None:
        self._site.announce(announcement(file.path, file.path.stem))

    def _end_by(self, command: Command) -> Session:
        id = self._sessions.command(command).id
        session = self._sessions.await_end(id, FINISH_DEADLINE_S)
        if session.status.is_final:
            return session
        raise RecExceptionErr(
            f"Session {id} was told to {command}; its file is still being finished",
            cause=f"The last frame or the disk takes longer than {FINISH_DEADLINE_S} s.",
            remedy="Wait for its end with rec_wait.",
            id=id,
        )

    def _new_id(self) -> str:
        time = self._site.clock.utc().replace(tzinfo=None)
        while self._is_used(id := f"{self._site.name}.{time.isoformat(timespec='milliseconds')}"):
            time += timedelta(milliseconds=1)
        return id

    def _is_used(self, id: str) -> bool:
        return self._sessions.get(id) is not None or self._folder.file_of(id).exists()
