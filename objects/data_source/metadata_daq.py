"""The servant of a metadata source: it accompanies acquisitions with samples."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from datetime import timedelta

from typing_extensions import override

from idl_like_interfaces.clients.owner import log_owner
from idl_like_interfaces.metadaqif import (
    MetaDaq,
    MetaDaqException,
    MetaDaqReply,
    MetaDaqState,
    MetaDaqStatus,
    MetaDaqStopReply,
)
from objects.component.site import Site
from objects.data_source import table_file
from objects.data_source.metadata import MetadataSource
from objects.data_source.metadata_acquisition import MetadataAcquisition, check_start
from objects.data_source.output import OutputFolder, announcement, unwritable
from objects.data_source.readiness import SourceNotReady, is_usable_id
from objects.data_source.statistics import Series

log = logging.getLogger(__name__)

HISTORY = 1000
"""So many acquisitions can be asked for."""
MOST_ACTIVE = 32
"""So many may be active at a time."""


class MetadataDaq(MetaDaq):
    """Samples a metadata source for each acquisition: periodically, at its begin and end.

    Args:
        site: Where it runs.
        source: What is sampled.
        folder: Where the files go.
    """

    def __init__(self, site: Site, source: MetadataSource, folder: OutputFolder) -> None:
        self._site = site
        self._source = source
        self._folder = folder
        self._lock = threading.RLock()
        self._all: OrderedDict[str, MetadataAcquisition] = OrderedDict()

    @override
    def start_daq(self, id: str = "") -> MetaDaqReply:
        with self._lock:
            id = id or self._new_id()
            active = sum(each.is_active for each in self._all.values())
            used = is_usable_id(id) and self._is_used(id)
            check_start(id, active, MOST_ACTIVE, used=used)
            try:
                acquisition = self._begun(id)
            except SourceNotReady as error:
                raise MetaDaqException(
                    error.message, cause=error.cause, remedy=error.remedy, id=id
                ) from error
            self._remember(acquisition)
            acquisition.end_sampling = self._site.every(
                self._source.period_s, lambda: self._sample(id)
            )
        log.info("acquisition %s begins", id, extra={"owner": id})
        return MetaDaqReply(id=id)

    @override
    def stop_daq(self, id: str) -> MetaDaqStopReply:
        with self._lock, log_owner(id):
            acquisition = self._known(id)
            acquisition.ensure_active("stop")
            self._sample(id)
            acquisition.ensure_active("stop")
            acquisition.end_sampling()
            try:
                self._finish(acquisition)
            except Exception as error:
                self._fail(acquisition, error)
                raise MetaDaqException(
                    f"The data of acquisition {id} could not be finished",
                    cause=str(error),
                    remedy="Look for space and rights on the output folder; start a new one.",
                    id=id,
                ) from error
            samples = len(acquisition.series.rows)
            acquisition.end(MetaDaqState.STOPPED)
            log.info("acquisition %s is stopped: %d rows", id, samples)
            return acquisition.stop_reply()

    @override
    def abort_daq(self, id: str) -> MetaDaqReply:
        with self._lock:
            acquisition = self._known(id)
            acquisition.ensure_active("abort")
            self._release(acquisition)
            acquisition.end(MetaDaqState.ABORTED)
        log.info("acquisition %s is aborted", id, extra={"owner": id})
        return MetaDaqReply(id=id)

    @override
    def get_daq_status(self, id: str) -> MetaDaqStatus:
        with self._lock:
            return self._known(id).report()

    def close(self) -> None:
        """Stop what is active, keep its data, and give the folder free."""
        with self._lock:
            for acquisition in [each for each in self._all.values() if each.is_active]:
                log.warning("acquisition %s is stopped: the source goes down", acquisition.id)
                try:
                    self.stop_daq(acquisition.id)
                except MetaDaqException as error:
                    log.error("%s", error.explain())
        self._folder.close()

    def detail(self) -> str:
        """Say in a few words what it is doing."""
        with self._lock:
            active = sum(each.is_active for each in self._all.values())
        return f"{active} active" if active else "idle"

    # The caller holds the lock ------------------------------------------------------

    def _begun(self, id: str) -> MetadataAcquisition:
        """Take the first sample: a source that gives none refuses the start."""
        path = self._folder.file_of(id) if self._source.columns else None
        acquisition = MetadataAcquisition(
            id=id,
            path=path,
            start_time=self._site.clock.utc(),
            series=Series(len(self._source.columns)),
        )
        self._reserve(acquisition)
        try:
            self._source.ensure_ready(id)
            acquisition.series.add(self._site.clock.utc(), self._source.sample())
        except SourceNotReady:
            self._release(acquisition)
            raise
        except Exception as error:
            owner = {"owner": id}
            log.exception("the first sample for acquisition %s failed", id, extra=owner)
            self._release(acquisition)
            raise SourceNotReady(
                f"{self._site.name} gives no samples", cause=str(error) or type(error).__name__,
                remedy="Look at the instrument and at the log of the source.",
            ) from error  # fmt: skip
        return acquisition

    def _reserve(self, acquisition: MetadataAcquisition) -> None:
        if acquisition.path is None:
            return
        self._folder.ensure_open()
        try:
            table_file.reserve(acquisition.path)
        except OSError as error:
            raise unwritable(self._folder.path, error) from error

    def _sample(self, id: str) -> None:
        with self._lock, log_owner(id):
            acquisition = self._all.get(id)
            if acquisition is None or not acquisition.is_active:
                return
            try:
                acquisition.series.add(self._site.clock.utc(), self._source.sample())
            except Exception as error:  # noqa: BLE001 (the user's source; logged with traceback)
                self._fail(acquisition, error)

    def _finish(self, acquisition: MetadataAcquisition) -> None:
        series, path = acquisition.series, acquisition.path
        acquisition.keywords = self._source.keywords(series.statistics)
        if path is not None:
            table_file.write_table(
                path,
                self._source.extension,
                self._source.columns,
                series.rows,
                acquisition.keywords,
            )
            acquisition.files = [str(path)]
            self._site.announce(announcement(path, acquisition.id))
        self._source.ensure_stopped(acquisition.id)

    def _fail(self, acquisition: MetadataAcquisition, error: Exception) -> None:
        log.error("acquisition %s failed", acquisition.id, exc_info=error)
        acquisition.keywords, acquisition.files = [], []
        acquisition.end(MetaDaqState.FAILED, str(error) or type(error).__name__)
        self._release(acquisition)

    def _release(self, acquisition: MetadataAcquisition) -> None:
        acquisition.end_sampling()
        if acquisition.path is not None:
            table_file.discard(acquisition.path)
        self._source.ensure_stopped(acquisition.id)

    def _known(self, id: str) -> MetadataAcquisition:
        acquisition = self._all.get(id)
        if acquisition is None:
            raise MetaDaqException(
                f"There was no acquisition {id!r}",
                cause=f"The source knows the last {HISTORY} since it is up.",
                remedy="Compare the id.",
                id=id,
            )
        return acquisition

    def _remember(self, acquisition: MetadataAcquisition) -> None:
        self._all[acquisition.id] = acquisition
        past = [id for id, each in self._all.items() if not each.is_active]
        for id in past[: max(len(self._all) - HISTORY, 0)]:
            del self._all[id]

    def _is_used(self, id: str) -> bool:
        return id in self._all or self._folder.file_of(id).exists()

    def _new_id(self) -> str:
        time = self._site.clock.utc().replace(tzinfo=None)
        while self._is_used(id := f"{self._site.name}.{time.isoformat(timespec='milliseconds')}"):
            time += timedelta(milliseconds=1)
        return id
