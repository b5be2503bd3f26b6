"""Ending or aborting the writers of a run, the last ones to start first; and the verdict."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.errors import CommFailure, PersistStore, RemoteError
from idl_like_interfaces.event_logger import Fenced, RunCertificate
from idl_like_interfaces.run_configuration import Writer
from idl_like_interfaces.run_control import Phase, WriterPhase
from objects.run_control.entry import OpenRun
from objects.run_control.graph import start_order
from objects.run_control.records import (
    RunRecord,
    confirmed,
    entered,
    noted,
    with_writer,
    with_writers,
)
from objects.run_control.surroundings import Surroundings, look_at_disk, lost_name
from objects.run_control.together import patiently, together
from objects.run_control.verdict import judge

log = logging.getLogger(__name__)

_URGENT = 0.6
"""After so much of its time a writer is ended by force."""

_PATIENT = (CommFailure, DaqException, Fenced)


class Ending:
    """Ends one run, or aborts it when its phase says so (also in the midst of ending).

    Args:
        run: The run.
        around: What it needs.
        stop: Set when run control ends: what is not done is done by its next start.
    """

    def __init__(self, run: OpenRun, around: Surroundings, stop: threading.Event) -> None:
        self._run = run
        self._around = around
        self._stop = stop
        self._clock = around.site.clock

    def end(self) -> None:
        """End all levels and enter the verdict."""
        for level in reversed(start_order(self._run.record.configuration.writers)):
            if self._stop.is_set():
                return
            self._end_level(level)
        if not self._stop.is_set():
            self._judge()

    def _end_level(self, level: list[Writer]) -> None:
        record = self._run.record
        left = [
            each
            for each in level
            if each.name not in record.certificates
            and record.writer(each.name).phase is not WriterPhase.WAITING
        ]
        if not left:
            return
        now = self._clock.utc()
        ending = {
            each.name: {"phase": WriterPhase.ENDING}
            for each in left
            if record.writer(each.name).phase is not WriterPhase.FAILED
        }
        self._run.change(lambda old: with_writers(old, ending, now))
        begun = time.monotonic()
        until = begun + record.configuration.end_timeout_s
        outcomes = together({each.name: self._action(each, begun, until) for each in left}, until)
        for each in outcomes.values():
            if each.error:
                # What was confirmed could not be stored: nothing is judged without it.
                raise PersistStore(each.error)

    def _action(self, writer: Writer, begun: float, until: float) -> Callable[[], None]:
        urgent_at = begun + _URGENT * (until - begun)

        def once() -> RunCertificate | None:
            record = self._run.record
            return end_writer(self._around, writer, record, is_urgent=time.monotonic() > urgent_at)

        def end() -> None:
            said: list[str] = []
            try:
                found = patiently(once, until, self._stop, said.append, _PATIENT)
            except RemoteError as error:
                self._enter_gone(writer, error.message)
                return
            if found is not None:
                self._enter_confirmed(writer, found)
            elif not self._stop.is_set():
                self._enter_lost(writer, until - begun, said)

        return end

    def _enter_confirmed(self, writer: Writer, certificate: RunCertificate) -> None:
        now = self._clock.utc()
        self._run.change(lambda old: confirmed(old, writer.name, certificate, now))
        self._around.site.clear_alarm(lost_name(writer.name), f"{self._around.site.root}/run")

    def _enter_gone(self, writer: Writer, message: str) -> None:
        """One that refuses for good, or never began since its start failed, confirms nothing."""
        now = self._clock.utc()

        def change(old: RunRecord) -> RunRecord:
            problem = old.writer(writer.name).problem or message
            return with_writer(old, writer.name, now, phase=WriterPhase.FAILED, problem=problem)

        self._run.change(change)

    def _enter_lost(self, writer: Writer, waited_s: float, said: list[str]) -> None:
        why = ": ".join([f"not confirmed within {waited_s:g} s", *said[-1:]])
        now = self._clock.utc()
        self._run.change(
            lambda old: noted(
                with_writer(old, writer.name, now, phase=WriterPhase.LOST, problem=why),
                f"{writer.name}: {why}",
                now,
            )
        )

    def _judge(self) -> None:
        now = self._clock.utc()
        site = self._around.site

        def change(record: RunRecord) -> RunRecord:
            if record.is_over:
                return record
            last = Phase.ENDED if record.phase is Phase.ENDING else Phase.ABORTED
            verdict, missing = judge(record, lambda writer, file: look_at_disk(site, writer, file))
            over = entered(
                record, last, now, verdict=verdict, missing=missing, ended=now, pause_reason=""
            )
            return noted(over, f"{last.value}, {verdict.value}{_first(missing)}", now)

        self._run.change(change)


def end_writer(
    around: Surroundings, writer: Writer, record: RunRecord, *, is_urgent: bool
) -> RunCertificate | None:
    """Have a writer end or abort a run, as the run's phase says; ``None``: it has not yet."""
    link = around.link(writer)
    fence = around.fence()
    if record.phase in {Phase.ENDING, Phase.ENDED}:
        return link.end(writer, record.number, fence, is_urgent=is_urgent)
    reason = record.reason or "aborted by run control"
    return link.abort(writer, record.number, reason, fence, is_urgent=is_urgent)


def confirm_late(run: OpenRun, around: Surroundings) -> bool:
    """Ask who has confirmed nothing when the run ended; judge again what comes. Return whether it did."""
    came: dict[str, Callable[[], RunCertificate | None]] = {}
    for writer, state in run.record.members():
        if state.phase is WriterPhase.LOST and writer.name not in run.record.certificates:
            came[writer.name] = _asker(around, writer, run.record)
    outcomes = together(came, time.monotonic() + around.lost_after_s)
    found = {name: each.value for name, each in outcomes.items() if each.value is not None}
    if not found:
        return False
    now = around.site.clock.utc()

    def change(record: RunRecord) -> RunRecord:
        for name, certificate in found.items():
            record = confirmed(record, name, certificate, now)
            record = noted(record, f"{name} has confirmed its files after all", now)
        verdict, missing = judge(
            record, lambda writer, file: look_at_disk(around.site, writer, file)
        )
        return replace(record, run=replace(record.run, verdict=verdict, missing=missing))

    verdict = run.change(change).run.verdict
    for name in found:
        around.site.clear_alarm(lost_name(name), f"{around.site.root}/run")
    log.info("run %d is %s after late confirmations", run.record.number, verdict.value)
    return True


def _asker(
    around: Surroundings, writer: Writer, record: RunRecord
) -> Callable[[], RunCertificate | None]:
    return lambda: end_writer(around, writer, record, is_urgent=False)


def _first(missing: list[str]) -> str:
    if not missing:
        return ""
    return f": {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
