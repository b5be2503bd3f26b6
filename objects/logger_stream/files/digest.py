"""The digest of a file that grows, computed beside the writing."""

from __future__ import annotations

import hashlib
import os
import threading

_STEP = 256 * 1024
"""Bytes read at once: stays in the processor's cache."""

_LAG = 1024 * 1024
"""With so many bytes behind a thread helps; below, ``finish`` does it in no time."""


class FileDigest:
    """SHA-256 of the first bytes of a file, as far as they will not change any more.

    A thread reads back what was written, from the page cache, and ends as soon as it has come
    up: a file that grows slowly has none, a thousand of them have no thousand threads. It keeps
    no buffer of the writer's, so a slow processor costs no memory, only a longer ``finish``.

    Args:
        descriptor: Of the file, which can be read; stays open until ``finish`` or ``stop``.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._digest = hashlib.sha256()
        self._lock = threading.Lock()
        self._done = self._end = 0
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._error: OSError | None = None

    def advance(self, end: int) -> None:
        """Say that the bytes up to there are written for good."""
        with self._lock:
            self._end = end
            if self._thread is None and end - self._done >= _LAG and self._error is None:
                self._thread = threading.Thread(
                    target=self._follow, name=f"digest-{self._descriptor}", daemon=True
                )
                self._thread.start()

    def finish(self, end: int) -> str:
        """Return the digest of all bytes up to there, as ``sha256:…``.

        Raises:
            OSError: The file cannot be read.
        """
        self.advance(end)
        self._join()
        error, self._error = self._error, None
        if error is not None:
            raise error  # asked again, it goes on where it was
        buffer = memoryview(bytearray(_STEP))
        while self._done < end:
            self._step(buffer)
        return f"sha256:{self._digest.hexdigest()}"

    def stop(self) -> None:
        """Give up; the thread has ended on return."""
        self._stopped = True
        self._join()

    def _join(self) -> None:
        thread = self._thread
        if thread is not None:
            thread.join()

    def _follow(self) -> None:
        buffer = memoryview(bytearray(_STEP))
        try:
            while self._is_behind():
                self._step(buffer)
        except OSError as error:
            with self._lock:
                self._error, self._thread = error, None

    def _is_behind(self) -> bool:
        with self._lock:
            if self._done < self._end and not self._stopped:
                return True
            self._thread = None
            return False

    def _step(self, buffer: memoryview) -> None:
        wanted = min(len(buffer), self._end - self._done)
        count = os.preadv(self._descriptor, [buffer[:wanted]], self._done)
        if not count:
            raise OSError(f"the file ends at byte {self._done}, before what was written to it")
        self._digest.update(buffer[:count])
        self._done += count
