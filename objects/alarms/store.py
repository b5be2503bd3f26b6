"""The alarm log: a sequential file, appended before anything is acknowledged, and rotated."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.alarms import HistoryEntry
from objects.alarms.lines import Line, Snapshot, decode_line, encode_line
from objects.component.atomic import PART_SUFFIX, fsync_folder

log = logging.getLogger(__name__)

FILE_BYTES = 8 * 1024 * 1024
KEPT_FILES = 16

MOST_WAITING = 10_000
"""Lines that wait in memory for a disk that takes none; what time does goes on up to twice that."""

MOST_WAITING_BYTES = 16 * 1024 * 1024


_NO_NUMBER = 2**63
"""Above every number."""


class AlarmLog:
    """The files of a folder, the last of which is written; any thread may read.

    Each file is named after the number of its first line of the history and begins with all
    that was known then, so that a start reads the last file only. On a full disk lines wait
    in memory, in order.

    Args:
        folder: Where the files are; made when it is missing.
        file_bytes: A file that has more behind its snapshot is followed by a new one.
        kept_files: So many are kept; the oldest are removed.

    Raises:
        OSError: The folder cannot be made or read, or the newest file not be opened.
    """

    def __init__(
        self, folder: Path, *, file_bytes: int = FILE_BYTES, kept_files: int = KEPT_FILES
    ) -> None:
        self.folder = folder
        self.problem = ""
        self.damaged = 0
        self._file_bytes = file_bytes
        self._kept_files = kept_files
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Line, bytes]] = deque()
        self._waiting_bytes = 0
        self._descriptor = -1
        self._size = 0
        self._head = 0
        self._is_dirty = False
        folder.mkdir(parents=True, exist_ok=True)

    def recover(self) -> Iterator[Line]:
        """Yield what was written since, and with, the newest readable snapshot.

        An unfinished last line is cut off; damaged ones before are passed over and counted.
        """
        for part in self.folder.glob(f"history-*.jsonl{PART_SUFFIX}"):
            part.unlink()
        files = self._files()
        begin = len(files)
        while begin > 0:
            begin -= 1
            if _begins_with_snapshot(files[begin]):
                break
        for file in files[begin:]:
            yield from self._recovered(file, is_last=file == files[-1])

    def open(self, snapshot: Snapshot) -> None:
        """Begin to append, to the newest file or to a first one.

        Raises:
            OSError: It cannot be opened or made.
        """
        files = self._files()
        if not files:
            self._begin(snapshot)
            return
        self._descriptor = os.open(files[-1], os.O_WRONLY | os.O_APPEND)
        self._size = files[-1].stat().st_size
        with files[-1].open("rb") as opened:
            self._head = len(opened.readline())

    def has_room(self) -> bool:
        """Tell whether what is appended now would be kept, on disk or in memory."""
        return len(self._waiting) < MOST_WAITING and self._waiting_bytes < MOST_WAITING_BYTES

    def append(self, lines: Iterable[Line]) -> None:
        """Write lines; on return they survive the end of the process, unless ``problem``."""
        with self._lock:
            for line in lines:
                self._put(line)
            self._write()

    def attend(self, snapshot: Callable[[], Snapshot]) -> None:
        """Write what waits, put it onto the disk, begin a new file when it is time."""
        with self._lock:
            self._write()
            try:
                # It may have been closed while this was about to begin.
                if self._is_dirty and self._descriptor >= 0:
                    os.fdatasync(self._descriptor)
                    self._is_dirty = False
                # The snapshot does not count: with very many alarms each file would be full at once.
                if self._size - self._head > self._file_bytes and not self._waiting:
                    self._begin(snapshot())
                    self._remove_oldest()
            except OSError as error:
                self._note(error)

    def entries(self, *, after: int, newest: bool) -> Iterator[HistoryEntry]:
        """Yield lines of the history, from the newest back or from the oldest on."""
        with self._lock:
            files = self._files()
            waiting = [line.entry for line, _ in self._waiting if line.entry is not None]
        # What waits now may be in the file when that is read.
        before = waiting[0].number if waiting else _NO_NUMBER
        if newest:
            yield from reversed([entry for entry in waiting if entry.number > after])
        for file in _behind(files, after, newest=newest):
            found = [entry for entry in _entries(file) if after < entry.number < before]
            yield from reversed(found) if newest else found
        if not newest:
            yield from (entry for entry in waiting if entry.number > after)

    def close(self) -> None:
        """Write what waits, if the disk takes it, and close the file."""
        with self._lock:
            if self._descriptor < 0:
                return
            self._write()
            if self._waiting:
                log.error(
                    "%d lines of the alarm log are lost: %s", len(self._waiting), self.problem
                )
            with suppress(OSError):
                os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, line: Line) -> None:
        if len(self._waiting) < 2 * MOST_WAITING and self._waiting_bytes < 2 * MOST_WAITING_BYTES:
            encoded = encode_line(line)
            self._waiting.append((line, encoded))
            self._waiting_bytes += len(encoded)

    def _write(self) -> None:
        """Write all that waits as one piece; what is not whole is taken back."""
        if not self._waiting:
            return
        octets = b"".join(encoded for _, encoded in self._waiting)
        try:
            _write_all(self._descriptor, octets)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            self._note(error)
            return
        self._size += len(octets)
        self._is_dirty = True
        self._waiting.clear()
        self._waiting_bytes = 0
        if self.problem:
            log.info("the alarm log %s is written again", self.folder)
            self.problem = ""

    def _note(self, error: OSError) -> None:
        if not self.problem:
            log.error("the alarm log %s cannot be written: %s", self.folder, error)
        self.problem = f"{self.folder} cannot be written: {error.strerror or error}"

    def _begin(self, snapshot: Snapshot) -> None:
        file = self.folder / f"history-{snapshot.next_number:012}.jsonl"
        part = file.with_name(file.name + PART_SUFFIX)
        octets = encode_line(Line(snapshot=snapshot))
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        try:
            _write_all(descriptor, octets)
            os.fsync(descriptor)
            part.replace(file)
            fsync_folder(self.folder)
        except OSError:
            os.close(descriptor)
            with suppress(OSError):
                part.unlink()
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = self._head = len(octets)

    def _remove_oldest(self) -> None:
        for file in self._files()[: -self._kept_files]:
            file.unlink()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("history-*.jsonl"))

    def _recovered(self, file: Path, *, is_last: bool) -> Iterator[Line]:
        end = damaged = 0
        octets = file.read_bytes()
        place = 0
        for each in octets.splitlines(keepends=True):
            place += len(each)
            line = decode_line(each) if each.endswith(b"\n") else None
            if line is None:
                damaged += 1
                continue
            end = place
            self.damaged += damaged
            damaged = 0
            yield line
        if is_last and end < len(octets):
            log.warning("%s: an unfinished end of %d bytes is cut off", file, len(octets) - end)
            os.truncate(file, end)
        else:
            self.damaged += damaged
        if self.damaged:
            log.error("%s: %d damaged lines are passed over", file, self.damaged)


def _entries(file: Path) -> Iterator[HistoryEntry]:
    """Yield the lines of the history in a file."""
    try:
        octets = file.read_bytes()
    except FileNotFoundError:
        return  # it was the oldest, and has been removed just now
    for each in octets.splitlines():
        line = decode_line(each)
        if line is not None and line.entry is not None:
            yield line.entry


def _behind(files: list[Path], after: int, *, newest: bool) -> list[Path]:
    """Leave out files of which the next one says by its name that they end too early."""
    firsts = [int(file.stem.removeprefix("history-")) for file in files]
    found = [
        file for file, end in zip(files, [*firsts[1:], _NO_NUMBER], strict=False) if end > after + 1
    ]
    return found[::-1] if newest else found


def _begins_with_snapshot(file: Path) -> bool:
    with file.open("rb") as opened:
        line = decode_line(opened.readline())
    return line is not None and line.snapshot is not None


def _write_all(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
