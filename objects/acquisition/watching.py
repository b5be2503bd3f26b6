"""Watching primary sources: one thread each, which waits for the end of its recording."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from msgspec.structs import replace

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.daqif import DaqException
from objects.acquisition import alerts as al
from objects.acquisition.acquisition import Acquisition
from objects.acquisition.primary_link import PrimaryLink
from objects.acquisition.product import SourceState
from objects.acquisition.sources import SourceFailure
from objects.acquisition.states import Phase
from objects.component.clock import Clock

log = logging.getLogger("daq.ocm.controller")

_SHORTEST_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Watch:
    """Waits for the ends of one acquisition's primary sources while it is Acquiring.

    Args:
        acquisition: Whose sources.
        clock: The time.
        on_end: Called after each end: the last one makes the acquisition go on.
    """

    def __init__(self, acquisition: Acquisition, clock: Clock, on_end: Callable[[], None]) -> None:
        self._acquisition = acquisition
        self._on_end = on_end
        self._clock = clock
        # The shortest interval keeps a client's 0 from becoming a storm of requests.
        interval = acquisition.record.context.plan.await_interval
        self._interval_s = max(interval, _SHORTEST_S)
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(link,),
                name=f"watch {link.name} of {acquisition.record.id}",
                daemon=True,
            )
            for link in acquisition.primaries
            if acquisition.record.context.result_of(link.name).state is SourceState.ACTIVE
        ]

    def start(self) -> None:
        """Begin to wait."""
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the threads; one that waits for a lost source may outlive this."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def is_over(self) -> bool:
        """Tell whether all threads have ended."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, link: PrimaryLink) -> None:
        with log_owner(self._acquisition.record.id):
            self._watch(link)

    def _watch(self, link: PrimaryLink) -> None:
        try:
            while self._is_wanted() and self._is_active(link):
                self._wait_once(link)
        except DaqException as error:
            # Its alerts tell the operator; it stays in Stopping for a command.
            log.warning("%s", error.explain())
        except Exception as error:
            log.exception("watching %s has failed", link.name)
            # Nobody would notice its end; the alert goes when it is stopped.
            self._acquisition.note_fault(
                al.of_source(link.name, "wait"),
                f"source {link.name} is not watched any more",
                error,
                "stop_daq when it has ended, or restart the coordinator: it watches again",
            )
        self._on_end()

    def _is_wanted(self) -> bool:
        record = self._acquisition.record
        return record.phase is Phase.ACQUIRING and not record.is_closed

    def _is_active(self, link: PrimaryLink) -> bool:
        result = self._acquisition.record.context.result_of(link.name)
        return result.state is SourceState.ACTIVE

    def _wait_once(self, link: PrimaryLink) -> None:
        """Send one wait request and act on its answer."""
        record = self._acquisition.record
        result = record.context.result_of(link.name)
        began = time.monotonic()
        try:
            ended = link.wait(result, self._interval_s)
        except SourceFailure as failure:
            self._note_failure(link, failure)
            return
        record.clear_alert(al.of_source(link.name, "wait"))
        if ended is not None:
            self._acquisition.note_end(ended)
        elif time.monotonic() - began < _SHORTEST_S:
            # It answered at once and has not ended: do not ask in a storm.
            record.has_left(Phase.ACQUIRING, _SHORTEST_S)

    def _note_failure(self, link: PrimaryLink, failure: SourceFailure) -> None:
        record = self._acquisition.record
        if failure.state is SourceState.FAILED:
            failed = replace(record.context.result_of(link.name), state=SourceState.FAILED)
            self._acquisition.note_end(failed, failure)
        elif self._is_wanted():
            log.warning("acquisition %s: %s", record.id, failure.reason.message)
            id = al.of_source(link.name, "wait")
            record.set_alert(al.alert(id, failure.reason, self._clock.utc()))
            record.has_left(Phase.ACQUIRING, min(self._interval_s, _LONGEST_PAUSE_S))
