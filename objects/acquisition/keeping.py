"""What the disk did not take: remembered, and written again until it stands there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from objects.acquisition.abandoned import Abandoned
from objects.acquisition.acquisition import Acquisition
from objects.acquisition.store import Workspace
from objects.component.site import Site

log = logging.getLogger("daq.ocm.manager")

AGAIN_S = 5.0
"""Time between attempts to write what could not be written."""


class Keeping:
    """Keeps the list of acquisitions, and tries again whatever could not be kept.

    That is done every few seconds, before each new acquisition, and once more at the end.

    Args:
        site: Has the timer.
        workspace: Takes the list.
        acquisitions: Those of the coordinator, oldest first.
        abandoned: Has a list of its own.
    """

    def __init__(
        self,
        site: Site,
        workspace: Workspace,
        acquisitions: Callable[[], Sequence[Acquisition]],
        abandoned: Abandoned,
    ) -> None:
        self._site = site
        self._workspace = workspace
        self._acquisitions = acquisitions
        self._abandoned = abandoned
        self._lock = threading.Lock()
        self._is_list_old = False
        self._end: Callable[[], None] | None = None

    @property
    def problem(self) -> str:
        """What is in memory only; empty: nothing."""
        missing = [f"acquisition {id}" for id in self._unkept()]
        missing += ["list.json"] if self._is_list_old else []
        missing += [] if self._abandoned.is_kept else ["abandoned.json"]
        return f"the workspace cannot be written: {', '.join(missing)}" if missing else ""

    def start(self) -> None:
        """Begin to try again."""
        self._end = self._site.every(AGAIN_S, self.attend)

    def close(self) -> None:
        """Try for the last time; tell what is lost with the process."""
        if self._end is not None:
            self._end()
            self._end = None
        self.attend()
        if self.problem:
            log.error("%s: the next start finds what was kept before", self.problem)

    def save_list(self) -> None:
        """Keep which acquisitions there are.

        Raises:
            OSError: It could not be written; the old list stands, and it is tried again.
        """
        with self._lock:
            self._is_list_old = True
            self._workspace.save_list([each.record.id for each in self._acquisitions()])
            self._is_list_old = False

    def try_list(self) -> None:
        """Do the same as far as the disk allows: a start copes with an old list."""
        was_old = self._is_list_old
        try:
            self.save_list()
        except OSError as error:
            log.log(
                logging.DEBUG if was_old else logging.ERROR, "list.json is not written: %s", error
            )

    def attend(self) -> None:
        """Write what could not be written before."""
        for acquisition in self._acquisitions():
            acquisition.record.keep_again()
        self._abandoned.keep_again()
        if self._is_list_old:
            self.try_list()

    def _unkept(self) -> list[str]:
        records = [each.record for each in self._acquisitions()]
        return [record.id for record in records if not record.is_kept]
