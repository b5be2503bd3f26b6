"""A recording session: what each command does in each state, and when it ends.

Pure: no I/O, no threads; the times are passed in. The table (``-`` is refused):

========  ========  =========  =======  =======
command   Inactive  Recording  Paused   ended
========  ========  =========  =======  =======
stop      Stopped   Stopped    Stopped  -
abort     Aborted   Aborted    Aborted  -
pause     -         Paused     -        -
continue  -         -          Recording -
========  ========  =========  =======  =======

``Inactive`` is a session that waits for its absolute time. A new one can be started
when there is none or the last has ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from idl_like_interfaces.recif import RecExceptionErr, RecProperties, RecStatus, RecStatusName
from objects.data_source.frame import FramePlan


class Command(StrEnum):
    """What a client may ask of a running session."""

    STOP = "stop"
    ABORT = "abort"
    PAUSE = "pause"
    CONTINUE = "continue"


_INACTIVE, _RECORDING, _PAUSED = (
    RecStatusName.INACTIVE,
    RecStatusName.RECORDING,
    RecStatusName.PAUSED,
)

TRANSITIONS: dict[tuple[Command, RecStatusName], RecStatusName] = {
    (Command.STOP, _INACTIVE): RecStatusName.STOPPED,
    (Command.STOP, _RECORDING): RecStatusName.STOPPED,
    (Command.STOP, _PAUSED): RecStatusName.STOPPED,
    (Command.ABORT, _INACTIVE): RecStatusName.ABORTED,
    (Command.ABORT, _RECORDING): RecStatusName.ABORTED,
    (Command.ABORT, _PAUSED): RecStatusName.ABORTED,
    (Command.PAUSE, _RECORDING): _PAUSED,
    (Command.CONTINUE, _PAUSED): _RECORDING,
}

_REMEDIES = {
    Command.STOP: "Start one with rec_start first.",
    Command.ABORT: "Start one with rec_start first.",
    Command.PAUSE: "Only a session that is Recording can be paused.",
    Command.CONTINUE: "Only a session that is Paused can be continued.",
}


def outcome(command: Command, session: Session | None) -> RecStatusName:
    """Return the state that a command leads to.

    Raises:
        RecExceptionErr: It is not legal now; nothing changes.
    """
    if session is None:
        raise RecExceptionErr(
            f"{command} was wanted, but there is no session",
            cause="None has been started since the source is up.",
            remedy=_REMEDIES[command],
            id="",
        )
    wanted = TRANSITIONS.get((command, session.status))
    if wanted is None or session.ending is not None:
        failed = session.status is RecStatusName.FAILED and session.info
        state = session.status if session.ending is None else f"ending as {session.ending}"
        raise RecExceptionErr(
            f"{command} was wanted, but session {session.id} is {state}",
            cause=session.info if failed else "The command is not legal in this state.",
            remedy=_REMEDIES[command],
            id=session.id,
        )
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session; each step makes a new one.

    Attributes:
        id: Its id.
        info: Free text, or the reason when it failed.
        frames_wanted: It ends after so many; 0: no limit.
        max_duration: It ends after so many seconds of recording, pauses not counted.
        period_s: From frame to frame.
        frame_bytes: Size of a frame, estimated.
        begin_at: Not before.
        status: Its state.
        ending: The end that was decided while its file is being finished.
        start_time: When recording began.
        end_time: When it ended.
        resumed_at: Monotonic time since when it is recording; ``None``: it is not.
        recorded_s: Seconds of recording before that.
        due_s: The next frame is due after so many seconds of recording.
        frames: Frames recorded.
        size: Bytes written.
        files: The finished files.
    """

    id: str
    info: str = ""
    frames_wanted: int = 0
    max_duration: float = 0.0
    period_s: float = 0.0
    frame_bytes: int = 0
    begin_at: datetime | None = None
    status: RecStatusName = RecStatusName.INACTIVE
    ending: RecStatusName | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    resumed_at: float | None = None
    recorded_s: float = 0.0
    due_s: float = 0.0
    frames: int = 0
    size: int = 0
    files: tuple[str, ...] = ()

    @classmethod
    def planned(cls, id: str, properties: RecProperties, plan: FramePlan) -> Session:
        """Return a session that has been accepted and has not begun."""
        return cls(
            id=id,
            info=properties.info,
            frames_wanted=plan.frames,
            max_duration=properties.max_duration,
            period_s=plan.period_s,
            frame_bytes=plan.frame_bytes,
            begin_at=properties.abs_time,
            due_s=plan.period_s,
        )

    def elapsed(self, now: float) -> float:
        """Return the seconds of recording until a monotonic time."""
        return self.recorded_s + (now - self.resumed_at if self.resumed_at is not None else 0.0)

    def begun(self, utc: datetime, now: float) -> Session:
        """Begin to record."""
        return replace(self, status=_RECORDING, start_time=utc, resumed_at=now)

    def commanded(self, command: Command, now: float) -> Session:
        """Carry out a command.

        Raises:
            RecExceptionErr: It is not legal now.
        """
        status = outcome(command, self)
        match status:
            case RecStatusName.PAUSED:
                return replace(self._halted(now), status=status)
            case RecStatusName.RECORDING:
                return replace(self, status=status, resumed_at=now)
            case _:
                return self.closing(status, now)

    def closing(self, ending: RecStatusName, now: float) -> Session:
        """Take no more frames; its file is being finished."""
        return replace(self._halted(now), ending=ending)

    def with_frame(self, size: int, now: float) -> Session:
        """Count a frame; the next is one period later, at once when we are late."""
        due = max(self.due_s + self.period_s, self.elapsed(now))
        return replace(self, frames=self.frames + 1, size=self.size + size, due_s=due)

    def ended(
        self,
        status: RecStatusName,
        utc: datetime,
        now: float,
        files: tuple[str, ...] = (),
        reason: str = "",
    ) -> Session:
        """End it; a reason takes the place of its free text."""
        info = reason or self.info
        session = replace(self._halted(now), status=status, ending=None, info=info)
        return replace(session, end_time=utc, files=files)

    def turn(self, utc: datetime, now: float) -> float | RecStatusName:
        """Say what comes next.

        Returns:
            The state in which it is to end; or the seconds to wait: 0 says that it is
            time to begin or to take a frame, infinity that only a command goes on.
        """
        if self.ending is not None:
            return self.ending
        if self.status is _INACTIVE:
            wait = (self.begin_at - utc).total_seconds() if self.begin_at else 0.0
            return max(wait, 0.0)
        if self.status is _PAUSED:
            return math.inf
        elapsed = self.elapsed(now)
        if self.frames_wanted and self.frames >= self.frames_wanted:
            return RecStatusName.COMPLETED
        if self.max_duration and elapsed >= self.max_duration:
            return RecStatusName.COMPLETED
        due = min(self.due_s, self.max_duration) if self.max_duration else self.due_s
        return max(due - elapsed, 0.0)

    def report(self, now: float) -> RecStatus:
        """Return its status with estimates."""
        elapsed = self.elapsed(now)
        left = max(self.frames_wanted - self.frames, 0) if not self.status.is_final else 0
        return RecStatus(
            id=self.id,
            status=self.status,
            info=self.info,
            start_time=self.start_time,
            end_time=self.end_time,
            time_elapsed=elapsed,
            remaining_time=self._remaining(left, elapsed),
            frames_processed=self.frames,
            frames_remaining=left,
            size_recorded=self.size,
            dp_files=list(self.files),
        )

    def _halted(self, now: float) -> Session:
        return replace(self, recorded_s=self.elapsed(now), resumed_at=None)

    def _remaining(self, frames_left: int, elapsed: float) -> float:
        if self.status.is_final:
            return 0.0
        limits = []
        if frames_left:
            limits.append(frames_left * self.period_s)
        if self.max_duration:
            limits.append(max(self.max_duration - elapsed, 0.0))
        return min(limits, default=0.0)
