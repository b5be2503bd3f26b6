"""After a restart: finishing the command in whose middle the coordinator ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from idl_like_interfaces.daqif import DaqException
from objects.acquisition import alerts as al
from objects.acquisition.acquisition import Acquisition

log = logging.getLogger("daq.ocm.controller")


class Resumption:
    """Finishes one acquisition's command in a thread of its own: a source may hang.

    Args:
        acquisition: Its state says what is to be done.
        on_end: Called at the end: it may wait to be handed over now.
    """

    def __init__(self, acquisition: Acquisition, on_end: Callable[[], None]) -> None:
        self._acquisition = acquisition
        self._on_end = on_end
        self._thread = threading.Thread(
            target=self._run, name=f"resume {acquisition.record.id}", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; it may outlive this, until its source has answered."""
        self._thread.join(timeout_s)

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._acquisition.resume()
        except DaqException as error:
            # Its alerts tell the operator; it stays as it is for a command.
            log.warning("%s", error.explain())
        except Exception as error:
            log.exception("resuming %s has failed", self._acquisition.record.id)
            self._acquisition.note_fault(
                al.RESTART,
                "the command in which the coordinator ended could not be finished",
                error,
                "give the command again",
            )
        self._on_end()
