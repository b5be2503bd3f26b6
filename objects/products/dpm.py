"""The DPM's two objects."""

from __future__ import annotations

import logging
from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.daqif import (
    DaqException,
    DaqReply,
    DaqStatus,
    DpmControl,
    DpmDaqControl,
    ProductStory,
    StorageStatus,
)
from idl_like_interfaces.errors import PersistStore
from objects.component.clock import Clock
from objects.products.engine import Engine
from objects.products.intake import Documents, is_same, read_specification
from objects.products.job import Job
from objects.products.ledger import Ledger
from objects.products.locations import local_names
from objects.products.story import Stories
from objects.products.workspace import Workspace

log = logging.getLogger("daq.dpm")


class DpmDaqServant(DpmDaqControl):
    """Queue, status, abort and retry of acquisitions."""

    def __init__(self, ledger: Ledger, engine: Engine, stories: Stories, clock: Clock) -> None:
        self._ledger = ledger
        self._engine = engine
        self._stories = stories
        self._clock = clock
        self._here = local_names()

    @override
    def queue_daq(self, specification: str) -> DaqReply:
        wanted = read_specification(specification, self._here)
        id = wanted[0].id
        with self._ledger.news:
            known = self._ledger.find(id)
            if known is not None and self._is_known(known, wanted):
                return self._reply(known)
            if known is not None and not known.has_ended:
                raise DaqException(
                    f"acquisition {id} is queued already, with another specification",
                    cause="two acquisitions were given the same id",
                    remedy="choose another id, or abort that one first",
                    id=id,
                )
            return self._reply(self._take(wanted))

    @override
    def abort_daq(self, id: str) -> DaqReply:
        with self._ledger.news:
            self._require_unended(id, "aborted")
            return self._reply(self._engine.abort(id))

    @override
    def get_daq_status(self, id: str) -> DaqStatus:
        return self._ledger.status(self._known(id))

    @override
    def get_story(self, id: str) -> ProductStory:
        with self._ledger.news:
            job = self._known(id)
            folder = self._ledger.folder_of(job)
        return self._stories.tell(job, folder)

    @override
    def get_active_daqs(self) -> list[DaqStatus]:
        return [self._ledger.status(job) for job in self._ledger.queue()]

    @override
    def retry_merge_daq(self, id: str) -> None:
        with self._ledger.news:
            self._require_unended(id, "retried")
            self._engine.retry(id)

    def _take(self, wanted: Documents) -> Job:
        specification, files = wanted
        now = self._clock.utc()
        job = Job(
            id=specification.id,
            file_id=specification.target.file_id,
            queued_at=now,
            changed_at=now,
        )
        try:
            self._ledger.add(job, specification, files)
        except OSError as error:
            raise PersistStore(
                f"acquisition {job.id} cannot be queued: {error.strerror}",
                cause="the disk of the workspace is full, read-only or has a fault",
                remedy="free some space or look after the disk, then queue it again",
            ) from error
        return job

    def _is_known(self, known: Job, wanted: Documents) -> bool:
        try:
            return is_same(self._ledger.documents(known), wanted)
        except (OSError, ValueError) as error:
            log.warning("what was queued as %s cannot be read: %s", known.id, error)
            return False

    def _require_unended(self, id: str, what: str) -> None:
        job = self._known(id)
        if job.has_ended:
            raise DaqException(
                f"acquisition {id} cannot be {what}: it has ended in {job.substate.value}",
                id=id,
            )

    def _known(self, id: str) -> Job:
        job = self._ledger.find(id)
        if job is None:
            raise DaqException(
                f"acquisition {id!r} is not known: it was never queued here",
                cause="a wrong id, another DPM, or it was removed from the archive",
                remedy="list the active acquisitions",
                id=id,
            )
        return job

    def _reply(self, job: Job) -> DaqReply:
        return DaqReply(id=job.id, error=self._ledger.status(job).error)


class DpmServant(DpmControl):
    """The server itself."""

    def __init__(self, workspace: Workspace, request_exit: Callable[[], None]) -> None:
        self._workspace = workspace
        self._request_exit = request_exit

    @override
    def query_storage_status(self) -> StorageStatus:
        try:
            return self._workspace.storage()
        except OSError as error:
            raise PersistStore(
                f"workspace {self._workspace.root} cannot be measured: {error.strerror}",
                cause="it was removed, or its disk has a fault",
                remedy="look after the disk and restart the DPM",
            ) from error

    @override
    def exit(self) -> str:
        self._request_exit()
        return "OK"
