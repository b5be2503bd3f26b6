"""Room that is kept on a volume for the end of its files (trailer, index, side-car)."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

BALLAST_BYTES: Final = 64 * 1024 * 1024

BALLAST_PART: Final = 100
"""On a small volume it is only a part of it, one so manieth."""


class Ballast:
    """A file that takes room until that is needed; any thread may free it.

    Args:
        path: Of the file.
        size: Its bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._lock = threading.Lock()
        self._is_there = self._is_told = False

    @property
    def is_there(self) -> bool:
        """Whether the room is kept."""
        return self._is_there

    def make(self) -> bool:
        """Take the room, if it is not taken yet; return whether it is."""
        with self._lock:
            if not self._is_there:
                self._is_there = self._make()
            return self._is_there

    def free(self) -> bool:
        """Give the room, also that of an earlier start; return whether there was any to give."""
        with self._lock:
            self._is_there = False
            try:
                self.path.unlink()
            except OSError:
                return False
            return True

    def _make(self) -> bool:
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self.size)
            finally:
                os.close(descriptor)
        except OSError as error:
            # It is tried again each second: said once.
            level = logging.DEBUG if self._is_told else logging.WARNING
            self._is_told = True
            log.log(level, "no ballast of %d bytes at %s: %s", self.size, self.path, error)
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            return False
        self._is_told = False
        return True
