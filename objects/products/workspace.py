"""The DPM's workspace on disk: queue, acquisitions in progress, results, archive.

``<root>/queue.json``, ``result/``, ``in-progress/{id}/``, ``archive/{id}/``; see
``docs/reference/products.md``. Each file is replaced as a whole, so a crash leaves
the old or the new one; what the order of the writes can leave behind is put right
by ``recovery``.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from idl_like_interfaces.daqif import StorageStatus
from idl_like_interfaces.documents import DpSpecification
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.first_use import ready
from idl_like_interfaces.reading import read_own
from objects.component.atomic import PART_SUFFIX, fsync_folder, write_json_atomic
from objects.products.job import Job
from objects.products.sources import FOLDER, SourceFile

QUEUE = "queue.json"
STATUS = "status.json"
SPECIFICATION = "specification.json"
SOURCES = "sources.json"
RESULT_LINK = "result"
MERGE_LOG = "logs/merge.log"
PICTURE_LOG = "logs/quicklook.log"

_LOCK = ".lock"
_FOLDERS = ("result", "in-progress", "archive")
_OWN = frozenset({QUEUE, _LOCK, *_FOLDERS})
_PARTS = (SPECIFICATION, STATUS, SOURCES, FOLDER, MERGE_LOG)
_NEW = "~"  # no id begins with it
_ID = re.compile(r"[A-Za-z0-9_:+-][A-Za-z0-9_.:+-]{0,127}")

T = TypeVar("T")

log = logging.getLogger("daq.dpm")


class Workspace:
    """The folders and files of one DPM; thread-safe where callers share no acquisition.

    Attributes:
        faults: What was found damaged at the start, one text each.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results = root / "result"
        self.in_progress = root / "in-progress"
        self.archive = root / "archive"
        self.faults: list[str] = []
        self._lock: int | None = None

    def open(self) -> None:
        """Create what is missing and take possession.

        Raises:
            BadParam: It cannot be used: no permission, content that is not of a DPM,
                or another DPM works in it.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._refuse_foreign()
            self._take_possession()
            for folder in _FOLDERS:
                (self.root / folder).mkdir(exist_ok=True)
        except OSError as error:
            raise self._refusal(
                f"workspace {self.root} cannot be used: {error.strerror}",
                remedy="make it a folder that the DPM may write, or set another workspace",
            ) from error

    def close(self) -> None:
        """Give up possession."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # queue

    def read_queue(self) -> list[str]:
        """Return the ids in their order; none before the first one came.

        Raises:
            ValueError: The file is damaged.
        """
        path = self.root / QUEUE
        return _decode(path, list[str]) if path.exists() else []

    def write_queue(self, ids: list[str]) -> None:
        """Write the ids in their order."""
        write_json_atomic(self.root / QUEUE, ids)

    # acquisitions

    def job_folder(self, id: str) -> Path:
        """Return the folder of an acquisition in progress."""
        return self.in_progress / id

    def create(self, job: Job, specification: DpSpecification, files: list[SourceFile]) -> None:
        """Make the folder of an acquisition; it appears as a whole or not at all."""
        new = self.in_progress / f"{_NEW}{job.id}"
        shutil.rmtree(new, ignore_errors=True)
        try:
            for folder in (FOLDER, "logs"):
                (new / folder).mkdir(parents=True)
            write_json_atomic(new / SPECIFICATION, specification)
            write_json_atomic(new / SOURCES, files)
            write_json_atomic(new / STATUS, job)
            new.rename(self.job_folder(job.id))
            fsync_folder(self.in_progress)
        except OSError:
            # On a full disk the half of it would be in the way of everything else.
            shutil.rmtree(new, ignore_errors=True)
            raise

    def remove(self, id: str) -> None:
        """Remove the folder of an acquisition that was not taken after all."""
        shutil.rmtree(self.job_folder(id), ignore_errors=True)

    def write_job(self, job: Job) -> None:
        """Write ``status.json`` of an acquisition in progress."""
        write_json_atomic(self.job_folder(job.id) / STATUS, job)

    def folders_in_progress(self) -> list[str]:
        """Return the ids that have a folder; half-made ones are removed.

        Raises:
            BadParam: Something else stands among them.
        """
        found = []
        for entry in self.in_progress.iterdir():
            if entry.name.startswith(_NEW):
                shutil.rmtree(entry, ignore_errors=True)
            elif not is_id(entry.name) or not any((entry / each).exists() for each in _PARTS):
                raise self._refusal(
                    f"{entry} is not an acquisition: it has no {SPECIFICATION}",
                    remedy="move it out of the workspace",
                )
            elif (entry / STATUS).is_dir():
                raise self._refusal(
                    f"{entry / STATUS} is a folder, wanted a file",
                    remedy=f"remove it; {STATUS} is made again",
                )
            else:
                for each in (FOLDER, "logs"):
                    (entry / each).mkdir(exist_ok=True)
                found.append(entry.name)
        return found

    def read_job(self, id: str) -> Job | None:
        """Return an acquisition in progress, ``None`` when its file is damaged or missing."""
        with suppress(OSError, BadParam):
            text = (self.job_folder(id) / STATUS).read_bytes()
            job, unknown = read_own(Job, text, STATUS)
            if unknown:
                # A DPM of a later version wrote it.
                log.warning("%s: passed over %s, which nobody knows", id, ", ".join(unknown))
            return job if job.id == id else None
        return None

    def read_documents(self, folder: Path) -> tuple[DpSpecification, list[SourceFile]]:
        """Return the local specification and the files of an acquisition.

        Raises:
            OSError: A document cannot be read.
            ValueError: A document is damaged.
        """
        return (
            _decode(folder / SPECIFICATION, DpSpecification),
            _decode(folder / SOURCES, list[SourceFile]),
        )

    # archive

    def set_aside(self, id: str) -> Path:
        """Keep a damaged acquisition where nobody finds it under its id; return the place."""
        place = self._free_name(id)
        self.job_folder(id).rename(place)
        fsync_folder(self.archive)
        fsync_folder(self.in_progress)
        return place

    def was_put_away(self, id: str) -> bool:
        """Tell whether the archive has an acquisition of that id."""
        return is_id(id) and (self.archive / id).exists()

    def put_away(self, id: str) -> None:
        """Move an acquisition to the archive; an older one of that id gets ``~n``."""
        place, folder = self.archive / id, self.job_folder(id)
        if not folder.exists():
            return  # moved by an earlier try, which then failed
        if place.exists():
            place.rename(self._free_name(id))
        folder.rename(place)
        fsync_folder(self.archive)
        fsync_folder(self.in_progress)

    def find_archived(self, id: str) -> Job | None:
        """Return the acquisition of that id that ended last."""
        with suppress(OSError, ValueError):
            if is_id(id):
                return _decode(self.archive / id / STATUS, Job)
        return None

    def storage(self) -> StorageStatus:
        """Measure the disk."""
        disk = os.statvfs(self.root)
        return StorageStatus(
            capacity=disk.f_frsize * disk.f_blocks,
            free=disk.f_frsize * disk.f_bfree,
            available=disk.f_frsize * disk.f_bavail,
        )

    def _free_name(self, id: str) -> Path:
        names = (self.archive / f"{id}~{count}" for count in range(1, 1_000_000))
        return next(name for name in names if not name.exists())

    def _refuse_foreign(self) -> None:
        foreign = sorted(e.name for e in self._entries() if e.name not in _OWN)
        if foreign:
            raise self._refusal(
                f"workspace {self.root} has content that is not of a DPM: {', '.join(foreign[:5])}",
                remedy="set another workspace, or move that content away",
            )

    def _entries(self) -> Iterator[Path]:
        for entry in self.root.iterdir():
            if entry.name.startswith(f".{QUEUE}.") and entry.name.endswith(PART_SUFFIX):
                entry.unlink()
            else:
                yield entry

    def _take_possession(self) -> None:
        self._lock = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise self._refusal(
                f"another DPM works in workspace {self.root}",
                remedy="end it, or give each DPM a workspace of its own",
            ) from error

    def _refusal(self, message: str, *, remedy: str) -> BadParam:
        return BadParam(message, remedy=remedy, field="settings.workspace")


def is_id(text: str) -> bool:
    """Tell whether a text is an id that can name a folder (no ``..``, no hidden one)."""
    return _ID.fullmatch(text) is not None


def _decode(path: Path, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ready(type_))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
