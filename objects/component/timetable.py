"""Periodic work of a component, on APScheduler."""

from __future__ import annotations

import logging
from collections.abc import Callable

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

_WORKERS = 4


class Timetable:
    """Runs periodic jobs; a job that is late is run once, never twice at a time."""

    def __init__(self) -> None:
        # A late or skipped heartbeat is no news; APScheduler would warn of each.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(_WORKERS)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._scheduler.start()

    def every(self, period_s: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call an action periodically, first after one period; return what ends that."""

        def run() -> None:
            try:
                action()
            except Exception:
                log.exception("a periodic job failed")

        job = self._scheduler.add_job(run, "interval", seconds=period_s)

        def end() -> None:
            try:
                job.remove()
            except JobLookupError:
                log.debug("the job had ended already")

        return end

    def close(self) -> None:
        """End all jobs; one that is running is waited for."""
        self._scheduler.shutdown(wait=True)
