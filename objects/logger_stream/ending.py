"""Ends runs: writes what waits, closes the files, and confirms what is on the disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.event_logger import RunCertificate, RunState
from idl_like_interfaces.waiting import block_for_news
from objects.logger_stream.certificates import Certificates, certificate_of
from objects.logger_stream.failure import SafeJournal
from objects.logger_stream.listening import RunListener
from objects.logger_stream.memory import Ended
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.runs import Runs

log = logging.getLogger(__name__)

END_OF_RUN = "end of run"

_RETRY_S = 1.0


class Ender(Closing):
    """Ends each run in a thread of its own, so that a slow disk holds up that run only.

    Args:
        runs: The runs.
        certificates: Where it is kept what was confirmed.
        journal: Remembers that a run has ended.
        settled: Called when one has.
    """

    def __init__(
        self,
        runs: Runs,
        certificates: Certificates,
        journal: SafeJournal,
        settled: Callable[[ActiveRun], None],
    ) -> None:
        self._runs = runs
        self._certificates = certificates
        self._journal = journal
        self._settled = settled
        self._is_closing = threading.Event()
        self._lock = threading.Lock()
        self._threads: dict[int, threading.Thread] = {}
        self._lost: dict[int, RunListener] = {}

    def knows(self, run: ActiveRun, listener: RunListener) -> None:
        """Ask this listener what a run has lost."""
        self._lost[run.number] = listener

    def begin(self, run: ActiveRun) -> None:
        """Begin to end a run that takes no more events."""
        name = f"end-of-run-{run.number}"
        thread = threading.Thread(target=self._end, args=(run,), name=name, daemon=True)
        with self._lock:
            self._threads[run.number] = thread
        thread.start()

    def hasten(self, run: ActiveRun) -> None:
        """Give up what a run that is ending cannot write at once; it was aborted meanwhile."""
        for each in run.all_streams:
            each.begin_abort(_reason(run.aborted or ""))

    def certificate(self, run: ActiveRun) -> RunCertificate:
        """Return what is on the disk of a run that has not ended."""
        return certificate_of(run, self._lost_of(run), run.state)

    def await_end(self, run: ActiveRun, timeout_s: float) -> RunCertificate:
        """Return what is on the disk when a run has ended, or the time is over."""

        def look() -> RunCertificate | None:
            is_active = self._runs.is_active(run.number)
            return None if is_active else self._certificates.read(run.number)

        return block_for_news(self._runs.changed, look, lambda: self.certificate(run), timeout_s)

    @override
    def close(self) -> None:
        """End no more runs; one that cannot be ended now is ended at the next start."""
        self._is_closing.set()
        with self._lock:
            threads = list(self._threads.values())
        for each in threads:
            each.join(_RETRY_S)

    def _end(self, run: ActiveRun) -> None:
        try:
            if run.aborted is None:
                run.end_streams(END_OF_RUN)
            else:
                run.abort_streams(_reason(run.aborted))
            # It may have been aborted while it was ending.
            state = RunState.ENDED if run.aborted is None else RunState.ABORTED
            if self._confirm(run, state):
                run.finish(state, run.aborted or "")
                run.release()
                self._lost.pop(run.number, None)
                self._runs.remove(run)
                self._settled(run)
        except Exception:
            log.exception("run %d cannot be ended", run.number)
            run.reason = "it cannot be ended by a fault of the program: see the log"
        finally:
            with self._lock:
                self._threads.pop(run.number, None)

    def _confirm(self, run: ActiveRun, state: RunState) -> bool:
        """Keep the certificate; where that fails try again until the logger ends."""
        while True:
            try:
                self._certificates.write(certificate_of(run, self._lost_of(run), state))
                self._journal.write(Ended(run=run.number))
            except (OSError, PersistStore) as error:
                run.reason = f"what is on the disk cannot be confirmed: {error}"
                log.error("run %d: %s", run.number, run.reason)
            else:
                return True
            if self._is_closing.wait(_RETRY_S):
                return False

    def _lost_of(self, run: ActiveRun) -> list[str]:
        listener = self._lost.get(run.number)
        return [] if listener is None else listener.lost


def _reason(aborted: str) -> str:
    return f"aborted: {aborted}"
