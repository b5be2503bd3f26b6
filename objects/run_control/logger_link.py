"""An event logger in a run."""

from __future__ import annotations

from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.event_logger import (
    CommandRefused,
    LoggerControl,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    RunCertificate,
    RunState,
)
from idl_like_interfaces.run_configuration import Writer
from objects.component.site import Site
from objects.run_control.graph import logger_configuration, logger_init
from objects.run_control.links import SLICE_S, STATUS_S, Seen, WriterLink
from objects.run_control.records import RunRecord

COMMAND_S = 10.0
_ABOVE_S = 3.0
"""So much longer than the logger may take a call of it may last."""

_HAS_ENDED = frozenset({RunState.ENDED, RunState.ABORTED})


class LoggerLink(WriterLink):
    """Commands one logger through its control object.

    Args:
        site: Finds it.
        reference: Its control object.
    """

    can_pause = True

    def __init__(self, site: Site, reference: str) -> None:
        self._quick = site.narrow(reference, LoggerControl, STATUS_S)
        self._control = site.narrow(reference, LoggerControl, COMMAND_S)
        self._slow = site.narrow(reference, LoggerControl, SLICE_S + _ABOVE_S)

    @override
    def prepare(self, writer: Writer, fence: int) -> None:
        wanted = logger_init(writer)
        if self._quick.get_status().state is LoggerState.PRE_INITIALIZED or writer.init:
            self._control.init(wanted, fence)

    @override
    def configure(self, writer: Writer, fence: int) -> None:
        self.prepare(writer, fence)
        self._control.configure(logger_configuration(writer), fence)

    @override
    def obstacles(self, writer: Writer, number: int) -> list[str]:
        status = self._quick.get_status()
        found = []
        if status.state in {LoggerState.PRE_INITIALIZED, LoggerState.INITIALIZED}:
            found.append(f"it is {status.state.value}: configure it first")
        newest = max((each.run for each in status.runs), default=0)
        if newest >= number:
            found.append(
                f"it has seen run {newest}, the next one would be {number}: set first_run of run "
                f"control to {newest + 1}"
            )
        if status.volumes and all(each.level == "close" for each in status.volumes):
            found.append("none of its volumes has room")
        if status.problem:
            found.append(status.problem)
        return found

    @override
    def start(self, writer: Writer, record: RunRecord, fence: int) -> None:
        begin = record.run.begin
        start = LoggerRunStart(
            run=record.number,
            recording=begin.recording,
            comment=begin.comment,
            data_type=begin.data_type,
            shifter=begin.shifter,
        )
        self._control.start_run(start, fence)

    @override
    def pause(self, number: int, reason: str, fence: int) -> None:
        self._control.pause(number, reason, fence)

    @override
    def resume(self, number: int, fence: int) -> None:
        self._control.resume(number, fence)

    @override
    def look(self, writer: Writer, number: int) -> Seen:
        status = self._quick.get_status()
        run = next((each for each in status.runs if each.run == number), None)
        if run is None:
            return Seen(is_gone="it does not know the run", problem=status.problem)
        return _seen(run, status)

    @override
    def end(
        self, writer: Writer, number: int, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        try:
            return self._final(self._slow.end_run(number, fence, SLICE_S))
        except CommandRefused:
            # It was aborted there: what is on its disk it says all the same.
            return self._final(self._slow.get_certificate(number))

    @override
    def abort(
        self, writer: Writer, number: int, reason: str, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        return self._final(self._slow.abort_run(number, reason, fence, SLICE_S))

    def _final(self, first: RunCertificate) -> RunCertificate | None:
        """Return a certificate that does not change any more, with all its pages of files."""
        if first.state not in _HAS_ENDED:
            return None
        files = list(first.files)
        while len(files) < first.files_total:
            page = self._slow.get_certificate(first.run, len(files))
            if not page.files:
                break
            files += page.files
        return replace(first, files=files)


def _seen(run: LoggerRun, status: LoggerStatus) -> Seen:
    why = f": {run.reason}" if run.reason else ""
    troubles = [each.problem for each in run.streams if each.problem]
    return Seen(
        is_paused=run.state is RunState.PAUSED,
        is_gone=f"its run is {run.state.value}{why}" if run.state in _HAS_ENDED else "",
        events=run.events,
        bytes=run.bytes,
        events_s=run.events_s,
        bytes_s=run.bytes_s,
        gap_count=run.gap_count,
        gaps=tuple(run.gaps),
        queued=sum(each.queue_events for each in run.streams),
        problem=status.problem or next(iter(troubles), ""),
    )
