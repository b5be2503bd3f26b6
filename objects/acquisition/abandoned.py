"""Acquisitions that were aborted here only: the DPM may finish them still, and has the last word."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from idl_like_interfaces.daqif import DaqException, DaqState, DaqStatus, DpmDaqControl
from idl_like_interfaces.errors import RemoteError
from objects.acquisition.store import Workspace
from objects.component.clock import Clock

log = logging.getLogger("daq.ocm.manager")

ASK_EVERY_S = 5.0


class Abandoned:
    """Remembers them, over restarts, until the DPM has told their end or does not know them.

    Its event may have been lost while this server or the channel was down, so it is asked.

    Args:
        workspace: Keeps the list.
        dpm: Is asked.
        adopt: Takes what it says; tells whether that stands now.
        clock: The time.
    """

    def __init__(
        self,
        workspace: Workspace,
        dpm: DpmDaqControl,
        adopt: Callable[[DaqStatus], bool],
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._dpm = dpm
        self._adopt = adopt
        self._clock = clock
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}  # by file id, since an id may be used again
        self._asked_at = 0.0
        self._is_kept = True

    @property
    def is_kept(self) -> bool:
        """Tell whether the list on disk is the one in memory."""
        return self._is_kept

    def load(self) -> None:
        """Take up what was kept."""
        self._ids = self._workspace.load_abandoned()

    def add(self, id: str, file_id: str) -> None:
        """Remember one; on return that survives a crash, if the disk takes it."""
        with self._lock:
            self._ids[file_id] = id
            self._save()

    def keep_again(self) -> None:
        """Write the list if the disk did not take it before."""
        with self._lock:
            if not self._is_kept:
                self._save()

    def attend(self) -> None:
        """Ask for each of them, every few seconds."""
        now = self._clock.monotonic()
        if not self._ids or now - self._asked_at < ASK_EVERY_S:
            return
        self._asked_at = now
        for file_id, id in list(self._ids.items()):
            try:
                is_over = self._is_over(id, file_id)
            except RemoteError as error:
                log.debug("%s is not asked for: %s", id, error)
                return
            if is_over:
                self._forget(file_id)

    def _is_over(self, id: str, file_id: str) -> bool:
        try:
            status = self._dpm.get_daq_status(id)
        except DaqException:
            return True  # it never came there
        if status.file_id == file_id and not self._adopt(status):
            return False  # its end here is not in the archive yet
        return status.file_id != file_id or status.state is DaqState.COMPLETED

    def _forget(self, file_id: str) -> None:
        with self._lock:
            self._ids.pop(file_id, None)
            self._save()

    def _save(self) -> None:
        try:
            self._workspace.save_abandoned(self._ids)
        except OSError as error:
            # Harmless but after a restart: then only the DPM's events tell of them.
            level = logging.ERROR if self._is_kept else logging.DEBUG
            log.log(level, "the abandoned acquisitions cannot be kept: %s", error)
            self._is_kept = False
        else:
            self._is_kept = True
