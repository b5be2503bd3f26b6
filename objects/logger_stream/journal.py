"""What a logger was told and has done, on disk before it takes effect: a restart goes on from it.

A file of lines: eight hexadecimal digits of CRC-32C, a blank, a JSON document. It is appended
to and synced; when it has grown it is replaced by one that says the same in fewer lines. Behind
a line that is not whole nothing is read: it was being written when the process was killed.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from crc32c import crc32c
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import PersistStore
from objects.component.atomic import write_text_atomic
from objects.logger_stream.memory import Entry, Memory

log = logging.getLogger(__name__)

COMPACT_BYTES: Final = 4 << 20
"""A journal that has grown by so much since it was last rewritten is rewritten."""

_CRC_DIGITS: Final = 8


class Journal(Closing):
    """The journal of one logger; any thread may append.

    Args:
        path: Of the file; made when it is missing.

    Attributes:
        path: As given.
        memory: What all entries come to.
        cut: Bytes at the end that were no whole line, and were cut off.

    Raises:
        PersistStore: It cannot be read or written, or says what nobody understands.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory = Memory()
        self.cut = 0
        self._lock = threading.Lock()
        self._descriptor = -1
        self._error: OSError | None = None
        self._size = self._head = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._read()
            self._rewrite()
        except PersistStore:  # an OSError, too: it says by itself what is wrong
            raise
        except OSError as error:
            raise _unwritable(path, error) from error

    @property
    def is_open(self) -> bool:
        """Whether it can be appended to, for all that is known."""
        return self._descriptor >= 0

    def append(self, *entries: Entry, sync: bool = True) -> None:
        """Write entries; on return they survive a crash, all or none of them.

        Args:
            entries: In their order.
            sync: False: they may be lost in a crash of the system (not in one of the process).

        Raises:
            PersistStore: They could not be written; nothing is remembered. Call ``reopen``.
        """
        lines = b"".join(map(_line, entries))
        with self._lock:
            try:
                self._write(lines, sync=sync)
                for each in entries:
                    self.memory.apply(each)
                if self._size > self._head + COMPACT_BYTES:
                    self._rewrite()
            except OSError as error:
                self._shut()
                self._error = error
                raise _unwritable(self.path, error) from error

    def reopen(self) -> None:
        """Write it anew after a failure.

        Raises:
            PersistStore: That is still not possible.
        """
        with self._lock:
            try:
                self._rewrite()
            except OSError as error:
                self._shut()
                self._error = error
                raise _unwritable(self.path, error) from error

    @override
    def close(self) -> None:
        with self._lock:
            self._shut()

    def _write(self, lines: bytes, *, sync: bool) -> None:
        if self._descriptor < 0:
            raise self._error or OSError("it is closed")
        try:
            _write_all(self._descriptor, lines)
            if sync:
                os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(lines)

    def _read(self) -> None:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        end = 0
        for line in content.splitlines(keepends=True):
            entry = _entry(line)
            if entry is None:
                break
            self.memory.apply(entry)
            end += len(line)
        self.cut = len(content) - end
        if self.cut:
            self._keep_aside(content[end:])

    def _keep_aside(self, torn: bytes) -> None:
        log.warning("%s: the last %d bytes are no whole entry: cut off", self.path, len(torn))
        if torn.count(b"\n") > 1:
            # More than the one line that a kill tears: somebody should look at it.
            self.path.with_suffix(".damaged").write_bytes(torn)

    def _rewrite(self) -> None:
        self._shut()
        write_text_atomic(self.path, b"".join(map(_line, self.memory.entries())).decode())
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._size = self._head = os.fstat(self._descriptor).st_size

    def _shut(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def read_entries(path: Path) -> Iterable[Entry]:
    """Yield the whole entries of a journal, for people and tests."""
    for line in path.read_bytes().splitlines(keepends=True):
        entry = _entry(line)
        if entry is None:
            return
        yield entry


_decoder = msgspec.json.Decoder(Entry)


def _line(entry: Entry) -> bytes:
    document = msgspec.json.encode(entry)
    return b"%08x %s\n" % (crc32c(document), document)


def _entry(line: bytes) -> Entry | None:
    document = line[_CRC_DIGITS + 1 : -1]
    if not line.endswith(b"\n") or line[:_CRC_DIGITS] != b"%08x" % crc32c(document):
        return None
    try:
        found: Entry = _decoder.decode(document)
    except msgspec.ValidationError as error:
        raise PersistStore(
            f"an entry of the journal is not understood: {error}",
            cause="it was written by another version of obsorb",
            remedy="start that version again, or move the journal away and begin anew",
        ) from error
    return found


def _write_all(descriptor: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _unwritable(path: Path, error: OSError) -> PersistStore:
    return PersistStore(
        f"the journal {path} cannot be written: {error.strerror or error}",
        cause="the disk is full or broken, or the folder is not writable",
        remedy="make room or mend it; the logger tries again every second",
    )
