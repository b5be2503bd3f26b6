"""A disk that fails or hangs on command: system calls on files below a folder."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_CALLS = ("pwritev", "writev", "pwrite", "write", "fsync", "fdatasync")
_SYNCS = ("fsync", "fdatasync")


class FailingDisk:
    """Fails what is written below a folder; for files that are open as well as for new ones.

    Args:
        folder: Whose files are concerned.
        monkeypatch: Takes everything back.

    Attributes:
        error: Number of the error with which writing and syncing fail; 0: they work.
        sync_error: The same, of syncing only.
        hang: Syncing waits until it is set; it is set unless ``stop`` was called.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.error = 0
        self.sync_error = 0
        self.hang = threading.Event()
        self.hang.set()
        for name in _CALLS:
            monkeypatch.setattr(os, name, self._failing(getattr(os, name), name in _SYNCS))
        monkeypatch.setattr(os, "open", self._opening(os.open))

    def stop(self) -> None:
        """Have each sync hang until ``hang`` is set."""
        self.hang.clear()

    def _failing(self, call: Callable[..., Any], is_sync: bool) -> Callable[..., Any]:
        def failing(descriptor: int, *more: Any) -> Any:
            if self._concerns(descriptor):
                if is_sync:
                    assert self.hang.wait(60.0)
                    self._raise(self.sync_error)
                self._raise(self.error)
            return call(descriptor, *more)

        return failing

    def _opening(self, call: Callable[..., int]) -> Callable[..., int]:
        def opening(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if flags & os.O_CREAT and str(path).startswith(str(self.folder)):
                self._raise(self.error)
            return call(path, flags, *more, **named)

        return opening

    def _concerns(self, descriptor: int) -> bool:
        try:
            return str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith(str(self.folder))
        except OSError:
            return False

    @staticmethod
    def _raise(number: int) -> None:
        if number:
            raise OSError(number, os.strerror(number))


EIO = errno.EIO
