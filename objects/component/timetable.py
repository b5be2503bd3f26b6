"""Periodic work of a component, on APScheduler."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from typing_extensions import override

log = logging.getLogger(__name__)

_WORKERS = 4
_LONGEST_WAIT_S = 1.0


class _SteadyJobs(MemoryJobStore):  # type: ignore[misc]
    """Keeps jobs going when the clock of the host is set.

    APScheduler plans by that clock. Set back by an hour, it would run nothing for an
    hour: no heartbeat, no renewal of a lease. Set forward by years (a host without a
    battery for its clock), it would list every run that was missed.
    """

    @override
    def get_due_jobs(self, now: datetime) -> list[Job]:
        for job in self.get_all_jobs():
            until = job.next_run_time - now
            if until > job.trigger.interval:
                job.modify(next_run_time=now + job.trigger.interval)
            elif -until > job.trigger.interval:
                job.modify(next_run_time=now)
        due: list[Job] = super().get_due_jobs(now)
        return due


class _SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]
    """Looks again at least every second: the clock may be set while it works out how long to wait."""

    @override
    def _process_jobs(self) -> float | None:
        wait_s: float | None = super()._process_jobs()
        return None if wait_s is None else min(wait_s, _LONGEST_WAIT_S)


class Timetable:
    """Runs periodic jobs; a job that is late is run once, never twice at a time."""

    def __init__(self) -> None:
        # A late or skipped heartbeat is no news; APScheduler would warn of each.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = _SteadyScheduler(
            jobstores={"default": _SteadyJobs()},
            executors={"default": ThreadPoolExecutor(_WORKERS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._scheduler.start()
        # At its end APScheduler waits for running jobs with its own lock held, which a job
        # that begins or ends another one (or itself) would then wait for.
        self._changing = threading.Lock()
        self._is_closed = False

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call an action periodically, first after one period; return what ends that."""

        def run() -> None:
            try:
                action()
            except Exception:
                log.exception("a periodic job failed")

        with self._changing:
            if self._is_closed:
                return lambda: None
            job = self._scheduler.add_job(run, "interval", seconds=period_s)
        return lambda: self._end(job)

    def _end(self, job: Job) -> None:
        with self._changing:
            if self._is_closed:
                return
            try:
                job.remove()
            except JobLookupError:
                log.debug("the job had ended already")

    def close(self) -> None:
        """End all jobs; one that is running is waited for."""
        with self._changing:
            self._is_closed = True
        self._scheduler.shutdown(wait=True)
