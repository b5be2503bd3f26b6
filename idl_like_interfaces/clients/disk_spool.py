"""What a supplier keeps on disk until the channel has it, so that a kill -9 loses nothing."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from weakref import WeakSet

from idl_like_interfaces.clients.parcels import Bounds, Parcel
from idl_like_interfaces.clients.spool_file import (
    SUFFIX,
    Entry,
    Found,
    Head,
    NotASpool,
    SpoolFile,
    read_spool_file,
)

log = logging.getLogger(__name__)

_RETRY_S = 1.0
"""So often a disk that took nothing is tried again."""

_FILES = 16
"""A full spool has so many files: what the channel has goes by the file."""

_SMALL = 64 * 1024
"""A file with only acknowledged events is kept for more while it is shorter, bytes."""


class DiskSpool:
    """Files with the events that the channel has not acknowledged; any thread may call it.

    What the disk does not take is in memory only: it is said, and tried again. Nothing is
    synced: the files survive the end of the process, not that of the machine.

    Args:
        folder: Below it each source has a folder.
        source: Whose events they are.
        incarnation: Of this start.
        bounds: Most events and bytes that wait; the oldest file goes first.

    Attributes:
        heritage: What earlier starts have left, as it is to be sent: with their numbers.
        before: The last number of each earlier start of which there is still a file.
        problem: Why the events are not on disk; empty while they are.
    """

    def __init__(self, folder: Path, source: str, incarnation: str, bounds: Bounds) -> None:
        self.heritage: list[Parcel[Entry]] = []
        self.before: dict[str, int] = {}
        self.problem = ""
        self._folder = folder / quote(source, safe="")
        self._source, self._incarnation = source, incarnation
        self._bounds = bounds
        self._lock = threading.RLock()
        self._files: deque[SpoolFile] = deque()
        self._active: SpoolFile | None = None
        self._acknowledged: dict[str, int] = {}
        self._numbered = self._serial = 0
        self._retry_at = 0.0
        self._lock_fd = -1
        self._is_closed = False
        self._longest = max(_SMALL, bounds.spool_bytes // _FILES)
        self._most = max(bounds.batch_items, bounds.spool_items // _FILES)
        _all.add(self)
        try:
            self._open()
            self._inherit()
        except OSError as error:
            self._fail(error)

    def _open(self) -> None:
        """Make the folder ours; raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise OSError(error.errno, f"another process uses {self._folder}") from error
        self._lock_fd = fd
        stems = [path.stem for path in self._folder.glob(f"*{SUFFIX}")]
        self._serial = max((int(stem) for stem in stems if stem.isdigit()), default=0)

    def _inherit(self) -> None:
        paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        left = [found for found in map(_read, paths) if found is not None]
        self.heritage = list(self._parcels(left))
        for found in left:
            if found.entries and found.file.last > found.acknowledged:
                self._files.append(found.file)
            else:
                found.file.remove()
        if count := sum(len(parcel.items) for parcel in self.heritage):
            log.info("%s: %d events of an earlier start are sent first", self._source, count)

    def _parcels(self, left: list[Found]) -> Iterator[Parcel[Entry]]:
        behind = self.before
        for found in left:
            head = found.file.head
            known = max(behind.get(head.incarnation, 0), found.acknowledged)
            skip = max(0, known - head.first + 1)
            yield from self._cut(head, head.first + skip, found.entries[skip:], known)
            if found.entries:
                known = max(known, found.file.last)
            behind[head.incarnation] = known
            before = self._acknowledged.get(head.incarnation, 0)
            self._acknowledged[head.incarnation] = max(before, found.acknowledged)

    def _cut(
        self, head: Head, first: int, entries: list[Entry], known: int
    ) -> Iterator[Parcel[Entry]]:
        """Cut entries into parcels; ``known`` is the number of the last before them."""
        bounds = self._bounds
        while entries:
            size = count = 0
            for _, record in entries[: bounds.batch_items]:
                if count and size + len(record) > bounds.batch_bytes:
                    break
                size += len(record)
                count += 1
            yield Parcel(
                first=first,
                items=entries[:count],
                lost=max(0, first - known - 1),
                incarnation=head.incarnation,
            )
            entries, known, first = entries[count:], first + count - 1, first + count

    def append(self, entry: Entry) -> None:
        """Keep the next event; on return it survives a kill -9, if the disk takes it."""
        with self._lock:
            if self._is_closed:
                return
            try:
                if not self.problem or time.monotonic() >= self._retry_at:
                    self._file().append(entry)
                    self._recovered()
            except OSError as error:
                self._fail(error)
            self._numbered += 1

    def skip(self) -> None:
        """Leave out the next number: its event is dropped, nobody keeps it."""
        with self._lock:
            self._numbered += 1
            self._seal()

    def _file(self) -> SpoolFile:
        """Return the file to write to; begin one when there is none, or it is long enough."""
        active = self._active
        if active is not None and active.size < self._longest and active.count < self._most:
            return active
        self._seal()
        if self._lock_fd < 0:
            self._open()
        head = Head(self._source, self._incarnation, self._numbered + 1)
        path = self._folder / f"{self._serial + 1:012}{SUFFIX}"
        made = SpoolFile.create(path, head, self._acknowledged.get(self._incarnation, 0))
        self._serial += 1
        self._active = made
        self._files.append(made)
        self._trim()
        return made

    def _seal(self) -> None:
        if self._active is not None:
            self._active.seal()
            self._active = None

    def _trim(self) -> None:
        """Give up the oldest files of what passes the bounds; memory has no more either."""
        bounds = self._bounds
        while len(self._files) > 1 and (
            sum(each.size for each in self._files) > bounds.spool_bytes
            or sum(each.count for each in self._files) > bounds.spool_items
        ):
            gone = self._files.popleft()
            self._hand_mark_on(gone.head.incarnation)
            gone.remove()

    def _hand_mark_on(self, incarnation: str) -> None:
        """Keep in the oldest file of a start what the channel has of it."""
        if self._files and self._files[0].head.incarnation == incarnation:
            self._files[0].mark(self._acknowledged.get(incarnation, 0))

    def _fail(self, error: OSError) -> None:
        """Say it; the numbers of the next file leave out what is in memory only."""
        if not self.problem:
            log.error(
                "the spool %s takes nothing, events are in memory only: %s", self._folder, error
            )
        self.problem = str(error) or type(error).__name__
        self._retry_at = time.monotonic() + _RETRY_S
        self._seal()

    def _recovered(self) -> None:
        if self.problem:
            log.info("the spool %s takes events again", self._folder)
            self.problem = ""

    def acknowledge(self, incarnation: str, number: int) -> None:
        """Note that the events of a start up to a number need not be kept any more."""
        with self._lock:
            known = self._acknowledged.get(incarnation, 0)
            self._acknowledged[incarnation] = max(known, number)
            gone = self._take_out(incarnation, number)
            try:
                self._hand_mark_on(incarnation)
            except OSError as error:
                log.warning("the spool %s cannot note what is sent: %s", self._folder, error)
        _remove(gone)

    def _take_out(self, incarnation: str, number: int) -> list[SpoolFile]:
        """Return the files, from the oldest on, of which nothing is needed any more.

        A short one goes on being written.
        """
        gone = []
        while self._files:
            oldest = self._files[0]
            if oldest.head.incarnation != incarnation or oldest.last > number:
                break
            if oldest is self._active:
                if oldest.size < _SMALL:
                    break
                self._active = None
            gone.append(self._files.popleft())
        return gone

    def close(self) -> None:
        """Write no more; what the channel does not have stays for the next start."""
        with self._lock:
            self._is_closed = True
            self._seal()
            gone = self._take_out(self._incarnation, self._acknowledged.get(self._incarnation, 0))
            if self._lock_fd >= 0:
                _remove(gone)
                os.close(self._lock_fd)
                self._lock_fd = -1

    def leave_to_parent(self) -> None:
        """Write no more, and hold nothing: this process was forked from the one that does."""
        self._is_closed = True
        self._active = None
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


_all: WeakSet[DiskSpool] = WeakSet()


def _leave_all() -> None:
    for spool in _all:
        spool.leave_to_parent()


# A child that outlives its parent would keep the folder locked, and the next start out.
os.register_at_fork(after_in_child=_leave_all)


def _remove(files: list[SpoolFile]) -> None:
    for each in files:
        try:
            each.remove()
        except OSError as error:
            log.warning("%s cannot be removed: %s", each.path, error)


def _read(path: Path) -> Found | None:
    """Read a file of an earlier start; put aside what is damaged, cut what was being written."""
    try:
        found = read_spool_file(path)
    except NotASpool as error:
        log.error("%s is put aside: %s", path, error)
        path.replace(path.with_suffix(".damaged"))
        return None
    if found.is_damaged:
        copy = path.with_suffix(".damaged")
        copy.write_bytes(path.read_bytes())
        log.error("the last %d bytes of %s are damaged; %s keeps them", found.cut, path, copy)
    elif found.cut:
        log.info("the last %d bytes of %s are no whole event, they are cut", found.cut, path)
    return found
