"""Moves acquisitions on: one thread decides what starts, workers do the steps."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.daqif import DaqSubstate
from objects.component.clock import Clock
from objects.products import alerts
from objects.products.cancel import Cancel, Cancelled
from objects.products.job import Job, aborting, entered, failed, retried, succeeded
from objects.products.ledger import Ledger
from objects.products.patience import Patience
from objects.products.progress import ADMITTED_TO, STAGES, Step
from objects.products.room import room_alert
from objects.products.schedule import Entry, Limits, plan
from objects.products.silence import is_silent
from objects.products.steps import Outcome, Steps
from objects.products.transfer import NO_ROOM

log = logging.getLogger("daq.dpm.scheduler")


class Engine:
    """The scheduler thread and its workers."""

    def __init__(
        self,
        ledger: Ledger,
        steps: Steps,
        clock: Clock,
        limits: Limits,
        workers: int,
        when_idle: Callable[[], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._ledger = ledger
        self._steps = steps
        self._clock = clock
        self._limits = limits
        self._workers = workers
        self._when_idle = when_idle
        self._patience = patience or Patience(clock, 0.0)
        self._busy: dict[str, Cancel] = {}
        self._admitted: set[str] = set()
        self._stopping = False
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="dpm-worker")
        self._thread = threading.Thread(target=self._run, name="dpm-scheduler")

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End all steps early, without a mark on their acquisitions; idempotent."""
        with self._ledger.news:
            self._stopping = True
            for cancel in self._busy.values():
                cancel.request()
            self._ledger.news.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(wait=True)

    def abort(self, id: str) -> Job:
        """Discard an acquisition in progress; returns while that is under way."""
        with self._ledger.news:
            job = self._ledger.change(id, lambda it: aborting(it, self._clock.utc()))
            if id in self._busy:
                self._busy[id].request()
            return job

    def retry(self, id: str) -> None:
        """Let one that is stuck go on, and a silent merger begin anew; nothing happens to another."""
        with self._ledger.news:
            job = self._ledger.change(
                id, lambda it: retried(it, self._clock.utc()) if it.stuck else it
            )
            if is_silent(job) and id in self._busy:
                self._busy[id].request()

    def look(self) -> None:
        """Try again what may have become possible by itself; to be called now and then."""
        with self._ledger.news:
            self._ledger.attend()
            for id in self._patience.due():
                if id not in self._busy:
                    self._ledger.resume(id)

    def describe(self) -> str:
        """Say in a few words what is going on."""
        with self._ledger.news:
            queue = self._ledger.queue()
            stuck = sum(job.stuck for job in queue)
            waiting = len(queue) - len(self._busy) - stuck
            words = f"{len(self._busy)} at work, {max(0, waiting)} waiting"
            return f"{words}, {stuck} stuck" if stuck else words

    def _run(self) -> None:
        with self._ledger.news:
            while not self._stopping:
                if not self._turn():
                    self._ledger.news.wait()

    def _turn(self) -> bool:
        try:
            begun = self._begin_what_may()
            if not begun and not self._busy and self._is_done():
                self._tell_idle()
        except Exception:
            log.exception("the scheduler failed; it tries again at the next change")
            return False
        return begun

    def _begin_what_may(self) -> bool:
        entries = [self._entry(job) for job in self._ledger.queue()]
        ids = plan(entries, self._limits, self._workers - len(self._busy))
        for id in ids:
            self._begin(id)
        return bool(ids)

    def _entry(self, job: Job) -> Entry:
        return Entry(
            id=job.id,
            substate=job.substate,
            stuck=job.stuck,
            admitted=job.id in self._admitted,
            busy=job.id in self._busy,
        )

    def _begin(self, id: str) -> None:
        self._admitted.add(id)
        job = self._ledger.in_progress(id)
        if job is not None and job.substate is DaqSubstate.SCHEDULED:
            job = self._ledger.change(id, lambda it: entered(it, ADMITTED_TO, self._clock.utc()))
        if job is not None and not job.stuck:
            cancel = self._busy[id] = Cancel()
            self._pool.submit(self._work, job, STAGES[job.substate].step, cancel)
        else:
            self._admitted.discard(id)

    def _work(self, job: Job, step: Step, cancel: Cancel) -> None:
        with log_owner(job.id):
            self._do(job, step, cancel)

    def _do(self, job: Job, step: Step, cancel: Cancel) -> None:
        outcome = self._outcome(job, step, cancel)
        with self._ledger.news:
            try:
                self._settle(job.id, step, outcome)
            except Exception:
                # It stays busy: to begin again at once would only fail again, for ever.
                log.exception("%s: the end of step %s is lost until a restart", job.id, step)
            else:
                del self._busy[job.id]
                self._ledger.news.notify_all()

    def _outcome(self, job: Job, step: Step, cancel: Cancel) -> Outcome | None:
        try:
            return self._steps.run(step, job, cancel)
        except Cancelled:
            return None
        except OSError as error:
            log.error("%s: step %s failed in the workspace: %s", job.id, step, error)
            return _workspace_failed(step, error)
        except ValueError as error:
            log.error("%s: step %s failed in the workspace: %s", job.id, step, error)
            return _failed(step, f"the workspace failed: {error}", cause="see the description")
        except Exception as error:
            log.exception("%s: step %s failed", job.id, step)
            return _failed(step, f"{type(error).__name__}: {error}", cause="a bug of the DPM")

    def _settle(self, id: str, step: Step, outcome: Outcome | None) -> None:
        job = self._ledger.in_progress(id)
        if job is None or outcome is None or STAGES[job.substate].step is not step:
            return  # ended early; what follows is decided anew
        now = self._clock.utc()
        decide = failed if outcome.failed else succeeded
        if outcome.failed and outcome.passing:
            self._patience.note_failure(id)
        else:
            self._patience.forget(id)
        job = self._ledger.change(id, lambda it: decide(it, step, outcome.alerts, now))
        if job.stuck or job.has_ended:
            self._admitted.discard(id)
        self._ledger.settle(id)

    def _is_done(self) -> bool:
        return all(job.stuck for job in self._ledger.queue())

    def _tell_idle(self) -> None:
        if self._when_idle is not None:
            self._when_idle()
            self._when_idle = None


def _workspace_failed(step: Step, error: OSError) -> Outcome:
    if error.errno in NO_ROOM:
        alert = room_alert(step, f"the workspace failed: {error}")
        return Outcome(failed=True, alerts=[alert], passing=True)
    return _failed(step, f"the workspace failed: {error}", cause="see the description")


def _failed(step: Step, description: str, *, cause: str) -> Outcome:
    alert = alerts.error(
        f"{step}/internal",
        description,
        cause=cause,
        remedy="see the log of the DPM, repair it, then retry the acquisition",
    )
    return Outcome(failed=True, alerts=[alert])
