"""Servants that say what is asked of them, and meet faults; all work is done by the real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.metadaqif import (
    MetaDaq,
    MetaDaqException,
    MetaDaqReply,
    MetaDaqStatus,
    MetaDaqStopReply,
)
from idl_like_interfaces.recif import (
    RecCmds,
    RecExceptionErr,
    RecProperties,
    RecStatus,
    RecWaitStatus,
)
from objects.data_source.faults import Faults, Say, Trouble

T = TypeVar("T")

REC_COMMANDS = ("start", "stop", "abort", "pause", "continue", "status", "wait")
META_COMMANDS = ("start", "stop", "abort", "status")

_QUIET = ("status", "wait")
"""They come all the time, and are told only when all is to be told."""


class _Teller:
    """Tells a command, lets it meet its fault, and tells what became of it."""

    def __init__(self, say: Say, trouble: Trouble, *, is_verbose: bool) -> None:
        self._say = say
        self._is_verbose = is_verbose
        self.trouble = trouble

    def tell(
        self, command: str, argument: str, act: Callable[[], T], told: Callable[[T], str]
    ) -> T:
        """Carry out a command."""
        is_loud = self._is_verbose or command not in _QUIET
        asked = f"{command} {argument}".rstrip()
        try:
            self.trouble.meet(command)
            result = act()
        except RemoteError as error:
            if is_loud:
                self._say(f"{asked}: refused, {error.message}")
            raise
        if is_loud:
            self._say(f"{asked}: {told(result)}")
        return result


class ToldRecorder(RecCmds):
    """A recorder that says what is asked of it.

    Args:
        recorder: Does the work.
        faults: What goes wrong.
        say: Is told.
        duration_s: A session that has no limit of its own ends after so many seconds; 0: none.
        is_verbose: Tell also what is asked all the time.
    """

    def __init__(
        self,
        recorder: RecCmds,
        faults: Faults,
        say: Say,
        *,
        duration_s: float = 0.0,
        is_verbose: bool = False,
    ) -> None:
        faults.check(REC_COMMANDS)
        self._recorder = recorder
        self._duration_s = duration_s
        trouble = Trouble(faults, lambda text: RecExceptionErr(text, id=""), say)
        self._teller = _Teller(say, trouble, is_verbose=is_verbose)

    def end(self) -> None:
        """Let go what is late or hangs."""
        self._teller.trouble.end()

    @override
    def rec_start(self, properties: RecProperties) -> RecStatus:
        if not properties.max_duration:
            properties = replace(properties, max_duration=self._duration_s)
        return self._tell("start", lambda: self._recorder.rec_start(properties), properties.id)

    @override
    def rec_stop(self) -> RecStatus:
        return self._tell("stop", self._recorder.rec_stop)

    @override
    def rec_abort(self) -> str:
        return self._teller.tell("abort", "", self._recorder.rec_abort, str)

    @override
    def rec_pause(self) -> RecStatus:
        return self._tell("pause", self._recorder.rec_pause)

    @override
    def rec_continue(self) -> RecStatus:
        return self._tell("continue", self._recorder.rec_continue)

    @override
    def rec_status(self, id: str = "") -> RecStatus:
        return self._tell("status", lambda: self._recorder.rec_status(id), id)

    @override
    def rec_wait(self, timeout_s: float) -> RecWaitStatus:
        return self._teller.tell(
            "wait",
            f"{timeout_s:g} s",
            lambda: self._recorder.rec_wait(timeout_s),
            lambda reply: said_of(reply.status),
        )

    def _tell(self, command: str, act: Callable[[], RecStatus], id: str = "") -> RecStatus:
        return self._teller.tell(command, id, act, said_of)


class ToldMetaDaq(MetaDaq):
    """A metadata source that says what is asked of it.

    Args:
        daq: Does the work.
        faults: What goes wrong.
        say: Is told.
        is_verbose: Tell also what is asked all the time.
    """

    def __init__(self, daq: MetaDaq, faults: Faults, say: Say, *, is_verbose: bool = False) -> None:
        faults.check(META_COMMANDS)
        self._daq = daq
        trouble = Trouble(faults, lambda text: MetaDaqException(text, id=""), say)
        self._teller = _Teller(say, trouble, is_verbose=is_verbose)

    def end(self) -> None:
        """Let go what is late or hangs."""
        self._teller.trouble.end()

    @override
    def start_daq(self, id: str = "") -> MetaDaqReply:
        return self._teller.tell(
            "start", id, lambda: self._daq.start_daq(id), lambda reply: f"{reply.id} Acquiring"
        )

    @override
    def stop_daq(self, id: str) -> MetaDaqStopReply:
        return self._teller.tell("stop", id, lambda: self._daq.stop_daq(id), _stopped)

    @override
    def abort_daq(self, id: str) -> MetaDaqReply:
        return self._teller.tell("abort", id, lambda: self._daq.abort_daq(id), lambda _: "Aborted")

    @override
    def get_daq_status(self, id: str) -> MetaDaqStatus:
        return self._teller.tell(
            "status", id, lambda: self._daq.get_daq_status(id), lambda reply: reply.state
        )


def said_of(status: RecStatus) -> str:
    """Say a session in a few words."""
    files = f", {' '.join(status.dp_files)}" if status.dp_files else ""
    return f"{status.id or '(none)'} {status.status}, {status.frames_processed} frames{files}"


def _stopped(reply: MetaDaqStopReply) -> str:
    keywords = f"{len(reply.keywords)} keywords"
    return ", ".join(["Stopped", keywords, *reply.files])
