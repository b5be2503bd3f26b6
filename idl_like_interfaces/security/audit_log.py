"""Writing the audit log of one process: append-only, never in the way of a call.

Each line is with the kernel before ``append`` returns, so it survives a kill -9 of the
process; a thread of its own makes it survive a loss of power within a second.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.security.audit_chain import Head, Kind, Record, seal, torn_mark
from idl_like_interfaces.security.audit_files import current_file, find_end, next_rotated
from idl_like_interfaces.security.refusals import AuditRefused

log = logging.getLogger(__name__)

FOLDER_MODE = 0o750
FILE_MODE = 0o640
LIMIT = 16 * 1024 * 1024
"""Octets of a file, after which the next one begins."""

SYNC_S = 1.0
HEAD_S = 3600.0
"""How often the head of the chain is told to the log, which is kept elsewhere."""


class AuditLog(Closing):
    """The audit log of one process.

    Args:
        folder: Of the logs of all processes; made when it is missing.
        process: Its name; there is one living writer of a name.
        incarnation: This start of it.
        limit: Octets of a file.

    Attributes:
        is_writable: The last line could be written.

    Raises:
        AuditRefused: The folder or file cannot be made, or another process writes it.
    """

    def __init__(
        self, folder: Path, process: str, incarnation: str = "", *, limit: int = LIMIT
    ) -> None:
        self._folder, self._process, self._incarnation = folder, process, incarnation
        self._limit = limit
        self._turn = threading.Condition()
        self._counted: Counter[str] = Counter()
        self._missing = 0
        self._is_dirty = self._is_closed = False
        self._told = Head()
        self.is_writable = True
        try:
            folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            self._file = _open(current_file(folder, process))
        except OSError as error:
            raise _refused(folder, process, error) from error
        self._head, self._torn = self._continued()
        self._thread = threading.Thread(target=self._keep, name=f"audit of {process}", daemon=True)
        self.append(Kind.START, incarnation=incarnation)
        self._thread.start()

    @property
    def head(self) -> Head:
        """The end of the chain."""
        return self._head

    def append(self, what: Kind, **members: Any) -> bool:
        """Write a line; tell whether it is written. Never raises for a disk that fails."""
        with self._turn:
            if self._is_closed:
                return False
            if not self._torn and self._file_is_full():
                self._rotate()
            is_written = self._write(what, members)
            if is_written != self.is_writable:
                self.is_writable = is_written
                _tell(self._process, is_written=is_written)
            self._is_dirty = True
            self._turn.notify()
        return is_written

    def count(self, operation: str) -> None:
        """Count a call that is not worth a line; the number goes into the next one."""
        with self._turn:
            self._counted[operation] += 1

    @override
    def close(self) -> None:
        """Write the last line and make it safe; harmless when repeated."""
        self.append(Kind.STOP)
        with self._turn:
            if self._is_closed:
                return
            self._is_closed = True
            self._turn.notify()
        self._thread.join()
        self._sync()
        self._tell_head()
        os.close(self._file)

    def _continued(self) -> tuple[Head, bytes]:
        """Find the end of the chain; a file whose end is damaged is put aside as it is."""
        end = find_end(self._folder, self._process)
        if end is not None:
            return end
        log.error("the audit log of %s is damaged; see `obsorb audit verify`", self._process)
        self._rotate()
        return Head(), b""

    def _file_is_full(self) -> bool:
        return os.fstat(self._file).st_size >= self._limit

    def _write(self, what: Kind, members: dict[str, Any]) -> bool:
        record = Record(
            seq=self._head.seq + 1,
            time=datetime.now(UTC).isoformat(timespec="microseconds"),
            what=what,
            process=self._process,
            missing=self._missing,
            counted=dict(self._counted),
            prev=self._head.hash,
            **members,
            **torn_mark(self._torn),
        )
        line, head = seal(record)
        end_of_torn = b"" if self._torn[-1:] in (b"", b"\n") else b"\n"
        if not self._put(end_of_torn + line):
            self._missing += 1
            return False
        self._head, self._torn, self._missing = head, b"", 0
        self._counted.clear()
        return True

    def _put(self, octets: bytes) -> bool:
        """Write all or, as far as the file system allows, nothing."""
        written = 0
        try:
            size = os.fstat(self._file).st_size
            written = os.write(self._file, octets)
            if written == len(octets):
                return True
            os.ftruncate(self._file, size)
        except OSError:
            # What could not be taken back stands as an unfinished line, and is told of.
            self._torn += octets[:written]
        return False

    def _rotate(self) -> None:
        """Begin the next file; where that is impossible go on with this one."""
        path = current_file(self._folder, self._process)
        try:
            with suppress(FileNotFoundError):
                path.rename(next_rotated(self._folder, self._process))
            file = _open(path)
        except OSError as error:
            self._limit *= 2
            log.warning("the audit log of %s is not rotated: %s", self._process, error)
            return
        self._sync()
        os.close(self._file)
        self._file = file

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:
            log.error("the audit log of %s may not survive: %s", self._process, error)

    def _keep(self) -> None:
        """Until the end: make lines safe in time, tell the head now and then."""
        tell_at = time.monotonic() + HEAD_S
        while True:
            with self._turn:
                self._turn.wait_for(
                    lambda: self._is_dirty or self._is_closed, tell_at - time.monotonic()
                )
                self._turn.wait_for(lambda: self._is_closed, SYNC_S if self._is_dirty else 0)
                if self._is_closed:
                    return
                self._is_dirty = False
                file = os.dup(self._file)
            try:
                # Not under the lock: calls do not wait for the disk.
                os.fsync(file)
            except OSError as error:
                log.error("the audit log of %s may not survive: %s", self._process, error)
            finally:
                os.close(file)
            if time.monotonic() >= tell_at:
                tell_at += HEAD_S
                if self._counted:
                    self.append(Kind.COUNT)
                self._tell_head()

    def _tell_head(self) -> None:
        if self._head != self._told:
            self._told = self._head
            log.info("audit head of %s: %d %s", self._process, self._head.seq, self._head.hash)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, FILE_MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _refused(folder: Path, process: str, error: OSError) -> AuditRefused:
    path = current_file(folder, process)
    if isinstance(error, BlockingIOError):
        return AuditRefused(
            f"{path} is being written by another process",
            path=str(path),
            cause=f"{process} is running already",
            remedy="end that one first, or give this one another name",
        )
    return AuditRefused(
        f"the audit log {path} cannot be opened: {error.strerror}",
        path=str(path),
        cause="the folder belongs to somebody else, or its disk is full or read-only",
        remedy='make it writable, or switch the log off with `audit = "off"` in [security]',
    )


def _tell(process: str, *, is_written: bool) -> None:
    if is_written:
        log.warning("the audit log of %s is written again", process)
    else:
        log.error("the audit log of %s cannot be written: is its disk full?", process)
