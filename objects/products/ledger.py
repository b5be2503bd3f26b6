"""The acquisitions in the DPM's hands: each change is written, then published."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec.structs import replace

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.daqif import INTERNAL_STATUS_TOPIC, DaqStatus
from idl_like_interfaces.documents import DpSpecification
from objects.component.acquisitions_shown import AcquisitionsShown, among
from objects.component.loggers import STATE
from objects.component.site import Site
from objects.products import alerts
from objects.products.history import with_history
from objects.products.job import Job, status_of
from objects.products.sources import SourceFile
from objects.products.workspace import Workspace

log = logging.getLogger("daq.dpm.controller")

PRODUCT_KIND = "dataproduct"

_STORE = "store/"


class Ledger:
    """Jobs in the order of the queue, on disk and in memory.

    Args:
        on_result: Called with id and path of each product when it is announced; never blocks.

    Attributes:
        news: Guards everything, and is notified at every change. Disk writes happen
            under it: so statuses are published in the order in which they are true.
    """

    def __init__(
        self,
        workspace: Workspace,
        site: Site,
        on_result: Callable[[str, Path], None] = lambda _id, _product: None,
    ) -> None:
        self.news = threading.Condition(threading.RLock())
        self._workspace = workspace
        self._site = site
        self._on_result = on_result
        self._shown = AcquisitionsShown(site)
        self._jobs: dict[str, Job] = {}
        self._unwritten: set[str] = set()
        self._queue_is_old = False

    def load(self, jobs: Iterable[Job]) -> None:
        """Take over what a recovery found."""
        with self.news:
            self._jobs = {job.id: job for job in jobs}

    def proclaim(self) -> None:
        """Publish where everything stands, and finish what a crash left half done."""
        with self.news:
            for job in list(self._jobs.values()):
                self._publish(job)
                self.settle(job.id)
            self._count()
        self._shown.tidy(among(lambda: list(self._jobs)))

    def find(self, id: str) -> Job | None:
        """Return an acquisition in progress, else the last archived one of that id."""
        with self.news:
            return self._jobs.get(id) or self._workspace.find_archived(id)

    def in_progress(self, id: str) -> Job | None:
        """Return an acquisition in progress."""
        with self.news:
            return self._jobs.get(id)

    def queue(self) -> list[Job]:
        """Return the acquisitions that have not ended, in order."""
        with self.news:
            return [job for job in self._jobs.values() if not job.has_ended]

    def status(self, job: Job) -> DaqStatus:
        """Say a job to the outside."""
        return status_of(job, self._workspace.results)

    def add(self, job: Job, specification: DpSpecification, files: list[SourceFile]) -> None:
        """Take an acquisition at the end of the queue.

        Raises:
            OSError: It could not be written; it was not taken.
        """
        with self.news:
            job = with_history(None, job)
            self._workspace.create(job, specification, files)
            try:
                self._workspace.write_queue([*self._jobs, job.id])
            except OSError:
                self._workspace.remove(job.id)
                raise
            self._jobs[job.id] = job
            self._publish(job)
            self.news.notify_all()

    def documents(self, job: Job) -> tuple[DpSpecification, list[SourceFile]]:
        """Return what was queued, with local paths.

        Raises:
            OSError: A document cannot be read.
            ValueError: A document is damaged.
        """
        with self.news:
            return self._workspace.read_documents(self.folder_of(job))

    def folder_of(self, job: Job) -> Path:
        """Return the folder of an acquisition, in progress or in the archive."""
        with self.news:
            if job.id in self._jobs:
                return self._workspace.job_folder(job.id)
            return self._workspace.archive / job.id

    def change(self, id: str, decide: Callable[[Job], Job]) -> Job:
        """Change an acquisition; a status that differs is published."""
        with self.news, log_owner(id):
            old = self._jobs[id]
            new = self._written(with_history(old, decide(old)))
            self._jobs[id] = new
            if self.status(new) != self.status(old):
                self._publish(new)
            self.news.notify_all()
            return new

    def resume(self, id: str) -> None:
        """Let one that is stuck try again, with its alerts; only what comes of it is written."""
        with self.news:
            job = self._jobs.get(id)
            if job is not None and job.stuck:
                self._jobs[id] = replace(job, stuck=False)
                self.news.notify_all()

    def attend(self) -> None:
        """Write what could not be written before, and go on where only that was missing."""
        with self.news:
            for id in sorted(self._unwritten & self._jobs.keys()):
                self.change(id, _as_if_written)
            for job in list(self._jobs.values()):
                if job.has_ended:
                    self.settle(job.id)
            if self._queue_is_old:
                self._write_queue()

    def settle(self, id: str) -> None:
        """Announce a product that is in place; put away what has ended and is written."""
        with self.news:
            job = self._jobs[id]
            if job.has_result and not job.announced:
                self._announce(job)
                self.change(id, lambda it: replace(it, announced=True))
            if job.has_ended and id not in self._unwritten:
                self._put_away(job)

    def _written(self, job: Job) -> Job:
        job = replace(job, alerts=alerts.replaced(job.alerts, _STORE, [], job.changed_at))
        try:
            self._workspace.write_job(job)
        except OSError as error:
            if job.id not in self._unwritten:
                log.error("status of %s cannot be written: %s", job.id, error)
            self._unwritten.add(job.id)
            return _unwritten(job, error)
        self._unwritten.discard(job.id)
        return job

    def _publish(self, job: Job) -> None:
        stuck, owner = " (stuck)" if job.stuck else "", {"owner": job.id}
        log.log(STATE, "%s: %s%s", job.id, job.substate.value, stuck, extra=owner)
        status = self.status(job)
        self._site.publish(INTERNAL_STATUS_TOPIC, status)
        self._shown.show(status)
        self._count()

    def _count(self) -> None:
        queue = self.queue()
        self._shown.count(len(queue))
        self._shown.queue(len(queue), sum(job.stuck for job in queue))

    def _announce(self, job: Job) -> None:
        if job.product is not None:
            self._site.announce(
                FileFinished(
                    path=str(self._workspace.results / job.product.name),
                    host=socket.gethostname(),
                    kind=PRODUCT_KIND,
                    owner=job.id,
                    size_bytes=job.product.size_bytes,
                    digest=job.product.digest,
                ),
            )
            self._on_result(job.id, self._workspace.results / job.product.name)

    def _put_away(self, job: Job) -> None:
        try:
            self._workspace.put_away(job.id)
        except OSError as error:
            # It has ended all the same; it is tried again, at the latest at the next start.
            log.error("%s cannot be moved to the archive: %s", job.id, error)
            return
        del self._jobs[job.id]
        self._shown.forget(job.id)
        self._count()
        self._write_queue()

    def _write_queue(self) -> None:
        try:
            self._workspace.write_queue(list(self._jobs))
        except OSError as error:
            # A start would find that the folder of that id is gone.
            log.error("the queue cannot be written: %s", error)
            self._queue_is_old = True
        else:
            self._queue_is_old = False


def _as_if_written(job: Job) -> Job:
    """Return it without the word that it could not be written."""
    kept = alerts.replaced(job.alerts, _STORE, [], job.changed_at)
    return replace(job, alerts=kept, stuck=not job.has_ended and alerts.has_error(kept))


def _unwritten(job: Job, error: OSError) -> Job:
    alert = alerts.error(
        f"{_STORE}status",
        f"the status cannot be written: {error.strerror}",
        cause="the disk of the workspace is full or has a fault",
        remedy="free some space or look after the disk; it is tried again by itself",
    )
    found = alerts.replaced(job.alerts, _STORE, [alert], job.changed_at)
    return replace(job, stuck=not job.has_ended, alerts=found)
