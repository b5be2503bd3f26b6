"""Primary data sources (``recif.RecCmds``): one recording session at a time.

The fields of the structs are ours: the published description has none
(ESO-DAQ 2.1). Times are UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from idl_like_interfaces.declare import Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError


class RecStatusName(StrEnum):
    """State of a recording session.

    Completed (ended by itself) and Stopped (ended on request) are the good ends;
    Aborted and Failed the bad ones.
    """

    UNDEFINED = "Undefined"
    INACTIVE = "Inactive"
    RECORDING = "Recording"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    ABORTED = "Aborted"
    FAILED = "Failed"

    @property
    def is_final(self) -> bool:
        """Tell whether the session has ended."""
        return self in _FINAL

    @property
    def is_good(self) -> bool:
        """Tell whether the session has ended well."""
        return self in (RecStatusName.STOPPED, RecStatusName.COMPLETED)


_FINAL = frozenset(
    {
        RecStatusName.STOPPED,
        RecStatusName.COMPLETED,
        RecStatusName.ABORTED,
        RecStatusName.FAILED,
    }
)


class RecProperties(Value, frozen=True, kw_only=True):
    """Conditions of a session.

    Attributes:
        id: Its id; empty: the source makes one.
        info: Free text that goes into the files.
        frames: End by itself after so many frames; 0: the source's own default.
        max_duration: End by itself after so many seconds; 0: no limit.
        abs_time: Begin then; None: at once.
    """

    id: str = ""
    info: str = ""
    frames: int = 0
    max_duration: Seconds = 0.0
    abs_time: UtcTime | None = None


class RecStatus(Value, frozen=True, kw_only=True):
    """A session, running or past.

    Attributes:
        id: Its id; empty when there was none yet.
        status: Its state.
        info: As given at the start; the reason when it failed.
        start_time: When recording began.
        end_time: When it ended.
        time_elapsed: Seconds of recording so far.
        remaining_time: Estimated seconds to the end; 0 when unknown.
        frames_processed: Frames recorded so far.
        frames_remaining: Frames to the end; 0 when unknown.
        size_recorded: Bytes written so far.
        dp_files: The finished FITS files, ``/path`` or ``host:/path``; readable.
    """

    id: str
    status: RecStatusName
    info: str = ""
    start_time: UtcTime | None = None
    end_time: UtcTime | None = None
    time_elapsed: Seconds = 0.0
    remaining_time: Seconds = 0.0
    frames_processed: int = 0
    frames_remaining: int = 0
    size_recorded: int = 0
    dp_files: list[str] = []


class RecWaitStatus(Value, frozen=True, kw_only=True):
    """Answer of ``rec_wait``; ``timed_out``: the session has not ended yet."""

    timed_out: bool
    status: RecStatus


class RecExceptionErr(RemoteError, repository_id="IDL:obsorb/recif/ExceptionErr:1.0"):
    """The command failed; the session, if there is one, is as before.

    Attributes:
        id: The session; empty without one.
    """

    id: str


@interface("IDL:obsorb/recif/RecCmds:1.0")
class RecCmds(Protocol):
    """A source that records sessions into files.

    ``rec_stop``, ``rec_abort``, ``rec_pause``, ``rec_continue`` and ``rec_wait`` act on
    the current session.
    """

    @operation(RecExceptionErr)
    def rec_start(self, properties: RecProperties) -> RecStatus:
        """Begin a session and return its status with estimates.

        Raises:
            RecExceptionErr: One is running, the id was used before, or the source
                is not able to record (cause and remedy say why).
        """

    @operation(RecExceptionErr)
    def rec_stop(self) -> RecStatus:
        """End the session and keep its data; the files are closed on return.

        Raises:
            RecExceptionErr: None is running, or its files could not be finished.
        """

    @operation(RecExceptionErr)
    def rec_abort(self) -> str:
        """End the session and discard its data.

        Raises:
            RecExceptionErr: None is running.
        """

    @operation(RecExceptionErr)
    def rec_pause(self) -> RecStatus:
        """Take no more frames until ``rec_continue``.

        Raises:
            RecExceptionErr: None is recording.
        """

    @operation(RecExceptionErr)
    def rec_continue(self) -> RecStatus:
        """Take frames again.

        Raises:
            RecExceptionErr: None is paused.
        """

    @operation(RecExceptionErr, idempotent=True)
    def rec_status(self, id: str = "") -> RecStatus:
        """Return the status of a session.

        Args:
            id: An active or completed session; empty: the current or else the last.

        Raises:
            RecExceptionErr: There was no such session.
        """

    @operation(RecExceptionErr, long_poll=True, idempotent=True)
    def rec_wait(self, timeout_s: Seconds) -> RecWaitStatus:
        """Wait for the end of the current session; one that has ended answers at once.

        Raises:
            RecExceptionErr: There was no session yet.
        """
