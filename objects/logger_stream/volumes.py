"""The volumes to which a logger writes: their room, their troubles, which one comes next."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.event_logger import StreamStatus, VolumeStatus
from objects.component.atomic import fsync_folder
from objects.component.clock import Clock
from objects.logger_stream.ballast import BALLAST_BYTES, BALLAST_PART, Ballast
from objects.logger_stream.space import Forecast, Level, Thresholds, fullest, judge

log = logging.getLogger(__name__)

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of a disk that is full; others are troubles of the disk itself."""

AT_ONCE: Final = 16
"""So many threads write to a volume at once: more only fight for the interpreter, and a disk
takes no more. Those of another volume have turns of their own, in case this one hangs."""

_RETRY_FIRST_S: Final = 1.0
_RETRY_LONGEST_S: Final = 30.0


class Volume:
    """A folder on a file system; any thread may use it.

    Args:
        path: The folder; made when it is needed.
        clock: The time.
        owner: Who keeps a ballast there: two loggers may share a volume.

    Attributes:
        path: The folder.
        turn: Entered by whoever writes there.
        level: How little room there is.
        free_bytes: Room, as it was looked at last.
        size_bytes: Of the whole file system.
        problem: Why it could not be written; empty: it could.
    """

    def __init__(self, path: Path, clock: Clock, owner: str = "logger") -> None:
        self.path = path
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        self.level = Level.OK
        self.free_bytes = self.size_bytes = 0
        self.problem = ""
        self._clock = clock
        self._ballast = Ballast(path / f".ballast-{owner}", BALLAST_BYTES)
        self._forecast = Forecast()
        self._backoff = Backoff(_RETRY_FIRST_S, _RETRY_LONGEST_S)
        self._retry_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_usable(self) -> bool:
        """Whether it is worth trying to write there."""
        return self.level < Level.CLOSE and self._clock.monotonic() >= self._retry_at

    @property
    def ballast(self) -> Ballast:
        """Room for the end of its files."""
        return self._ballast

    def prepare(self) -> None:
        """Make the folder; its name, and those of the folders above, survive a crash.

        Raises:
            OSError: It cannot be made, or not be written.
        """
        _make(self.path)
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.path))

    def look(self, thresholds: Thresholds) -> None:
        """Look at its room, judge it, and keep the ballast when there is enough.

        A folder that was not made yet has the room of the one in which it will be.
        """
        try:
            self._measure()
        except OSError as error:
            self.failed(error)
            return
        kept = 0 if self._ballast.is_there else self._ballast.size
        # The room of a ballast that was freed is for the ends of files only.
        free = max(0, self.free_bytes - kept) / max(1, self.size_bytes)
        level = judge(free, self.level, thresholds)
        if level is not self.level:
            log.info("%s: %s, %d bytes are free", self.path, level.word, self.free_bytes)
        self.level = level
        self._forecast.add(self._clock.monotonic(), self.free_bytes)
        if level < Level.PAUSE and self.path.is_dir():
            self._ballast.make()

    def failed(self, error: OSError) -> None:
        """Take note that it could not be written; it is left alone for a while."""
        with self._lock:
            self.problem = f"{self.path}: {error}"
            self._retry_at = self._clock.monotonic() + self._backoff.next_s()
        if error.errno in NO_ROOM:
            self.level = Level.CLOSE

    def worked(self) -> None:
        """Take note that it was written."""
        if self.problem:
            with self._lock:
                self.problem = ""
                self._retry_at = 0.0
                self._backoff.reset()

    def status(self, streams: Iterable[StreamStatus], thresholds: Thresholds) -> VolumeStatus:
        """Return how it stands; given the streams, which of them fills it most."""
        return VolumeStatus(
            path=str(self.path),
            free_bytes=self.free_bytes,
            size_bytes=self.size_bytes,
            full_in_s=self._forecast.full_in_s(thresholds.close * self.size_bytes),
            fullest_stream=fullest(streams, str(self.path)),
            level=self.level.word,
        )

    def _measure(self) -> None:
        found = os.statvfs(_existing(self.path))
        self.free_bytes = found.f_bavail * found.f_frsize
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self.size_bytes = used + self.free_bytes
        self._ballast.size = min(BALLAST_BYTES, self.size_bytes // BALLAST_PART)


class Volumes:
    """All volumes of a logger, each known once.

    Args:
        root: Volumes that are named relatively lie below it.
        clock: The time.
        owner: Of the ballast files, e.g. the component's name.

    Attributes:
        thresholds: Of the levels; may be replaced at any time.
    """

    def __init__(self, root: Path, clock: Clock, owner: str = "logger") -> None:
        self.thresholds = Thresholds()
        self._root = root
        self._clock = clock
        self._owner = owner
        self._lock = threading.Lock()
        self._volumes: dict[Path, Volume] = {}

    def of(self, names: Iterable[str]) -> list[Volume]:
        """Return volumes by their names; nothing is touched on a disk."""
        with self._lock:
            return [self._one(self._root / name) for name in names]

    @property
    def all(self) -> list[Volume]:
        """Those that were asked for till now."""
        with self._lock:
            return list(self._volumes.values())

    def look(self) -> None:
        """Look at the room of all; to be called once a second or so, not by a stream's thread."""
        for each in self.all:
            each.look(self.thresholds)

    def statuses(self, streams: Sequence[StreamStatus] = ()) -> list[VolumeStatus]:
        """Return how all of them stand."""
        return [each.status(streams, self.thresholds) for each in self.all]

    def free_ballast(self) -> None:
        """Remove all ballast: the logger ends."""
        for each in self.all:
            each.ballast.free()

    def _one(self, path: Path) -> Volume:
        return self._volumes.setdefault(path, Volume(path, self._clock, self._owner))


def choose(volumes: Sequence[Volume]) -> Volume | None:
    """Return where a new file goes; None: nowhere now.

    The first that has room and no trouble; one with little room only when there is no other.
    """
    usable = [each for each in volumes if each.is_usable]
    roomy = [each for each in usable if each.level < Level.PAUSE]
    return next(iter(roomy or usable), None)


def _existing(path: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), path)


def _make(path: Path) -> None:
    """Make a folder and those above it, and have all names that are new on the disk."""
    new = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in reversed(new):
        fsync_folder(each.parent)
