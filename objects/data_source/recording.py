"""One recording: the thread that moves frames from their source into a file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.recif import RecStatusName
from objects.component.clock import Clock
from objects.data_source.fits_file import FitsRecording, RecordFacts
from objects.data_source.frame import FrameSource
from objects.data_source.session_log import SessionLog

log = logging.getLogger(__name__)


class Recording:
    """Records the current session of a log; ends by itself when the session ends.

    The session is reported as ended when its file is complete, durable and announced.

    Args:
        sessions: Its current session is this one.
        source: Gives the frames; ready.
        file: Takes them.
        facts: As known at the start.
        announce: Tells the installation of the finished file.
        clock: The time.
    """

    def __init__(
        self,
        sessions: SessionLog,
        source: FrameSource,
        file: FitsRecording,
        facts: RecordFacts,
        announce: Callable[[FitsRecording], None],
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._source = source
        self._file = file
        self._facts = facts
        self._announce = announce
        self._clock = clock
        self._thread = threading.Thread(target=self._run, name=f"recording {facts.id}", daemon=True)

    def start(self) -> None:
        """Begin to take frames."""
        self._thread.start()

    def join(self) -> None:
        """Wait until everything is finished; the session has been told to end."""
        self._thread.join()

    def _run(self) -> None:
        with log_owner(self._facts.id):
            self._record()

    def _record(self) -> None:
        try:
            end = self._take_frames()
            files = self._complete(end)
        except Exception as error:  # noqa: BLE001 (outermost loop of a thread, logged)
            self._fail(error)
        else:
            self._sessions.end(end, files)
            log.info("session %s is %s: %d frames", self._facts.id, end, self._file.frames)

    def _take_frames(self) -> RecStatusName:
        try:
            while (end := self._sessions.await_turn()) is None:
                frame = self._source.read_frame()
                if frame is None:
                    return self._sessions.close(RecStatusName.COMPLETED)
                self._sessions.count(self._file.append(frame))
            return end
        finally:
            self._source.ensure_stopped()

    def _complete(self, end: RecStatusName) -> tuple[str, ...]:
        if not end.is_good:
            self._file.discard()
            return ()
        self._file.finish(self._final_facts())
        self._announce(self._file)
        return (str(self._file.path),)

    def _final_facts(self) -> RecordFacts:
        session = self._sessions.current
        begin = session.start_time if session is not None else None
        return msgspec.structs.replace(
            self._facts,
            begin=begin or self._facts.begin,
            end=self._clock.utc(),
            frames=self._file.frames,
        )

    def _fail(self, error: Exception) -> None:
        frames = self._file.frames
        log.error("session %s failed after %d frames", self._facts.id, frames, exc_info=error)
        reason = str(error) or type(error).__name__
        try:
            aside = self._file.abandon()
        except OSError:
            log.exception("the incomplete file of session %s stays as it is", self._facts.id)
        else:
            reason += f"; the {frames} frames before that are in {aside}" if aside else ""
        self._sessions.end(RecStatusName.FAILED, reason=reason)
