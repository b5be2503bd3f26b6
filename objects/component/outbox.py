"""The durable outbox: what must be announced is kept on disk until the channel has it."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Protocol

from idl_like_interfaces.announcements import FILE_FINISHED_TOPIC, FileFinished
from idl_like_interfaces.clients.spooler import Counters
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import parse_json
from objects.component.atomic import write_json_atomic

log = logging.getLogger(__name__)

ATTEND_S = 1.0
"""How often it is looked whether the channel has acknowledged."""


class Supplier(Protocol):
    """What an outbox needs of an event supplier."""

    @property
    def counters(self) -> Counters:
        """Events produced, acknowledged and dropped."""

    def publish(self, topic: str, body: FileFinished) -> None:
        """Send an event; never blocks."""

    def flush(self, timeout_s: float) -> bool:
        """Tell whether the channel has all events."""


class Outbox:
    """Announces finished files at least once, also over a crash.

    Each announcement is a file until the channel has acknowledged it. What a crash
    leaves is announced again, so that a reader may get one twice: the path says so.

    Args:
        folder: Where the files are; made when it is needed.
        supplier: Sends the events.
        incarnation: Goes into the names of the files.
    """

    def __init__(self, folder: Path, supplier: Supplier, incarnation: str) -> None:
        self._folder = folder
        self._supplier = supplier
        self._incarnation = incarnation
        self._lock = threading.Lock()
        self._sent: list[Path] = []
        self._number = 0
        self._dropped = 0

    def recover(self) -> None:
        """Announce again what was not acknowledged before the last end."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                file = parse_json(FileFinished, path.read_bytes(), str(path))
            except (BadParam, OSError) as error:
                log.error("announcement %s is put aside: %s", path, error)
                path.replace(path.with_suffix(".broken"))
            else:
                log.info("%s is announced again", file.path)
                self._send(file, path)

    def add(self, file: FileFinished) -> None:
        """Announce a file; on return the announcement survives a crash."""
        with self._lock:
            self._number += 1
            path = self._folder / f"{self._incarnation}-{self._number:06}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json_atomic(path, file)
        except OSError as error:
            # The file itself is safe; only a crash just now would leave it unannounced.
            log.error("the announcement of %s is not kept: %s", file.path, error)
        self._send(file, path)

    def attend(self) -> None:
        """Remove what the channel has; send again what had to be dropped meanwhile."""
        with self._lock:
            sent = list(self._sent)
        if not sent or not self._supplier.flush(0.0):
            return
        dropped = self._supplier.counters.dropped
        with self._lock:
            is_complete, self._dropped = dropped == self._dropped, dropped
            self._sent = self._sent[len(sent) :]
        if is_complete:
            for path in sent:
                path.unlink(missing_ok=True)
        else:
            self.recover()

    def _send(self, file: FileFinished, path: Path) -> None:
        with self._lock:
            self._sent.append(path)
            self._supplier.publish(FILE_FINISHED_TOPIC, file)
