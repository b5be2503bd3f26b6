"""The archive of the coordinator's workspace: the acquisitions that have ended.

An older acquisition of the same id is kept as ``{id}~1-...``, ``{id}~2-...`` (an id never
holds a ``~``); the name without a number is the newest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.daqif import DaqStatus
from objects.acquisition.salvage import DamagedError, Kept, UnreadableError, read_kept
from objects.component.atomic import fsync_folder, write_json_atomic

KINDS = ("context", "status")
_OURS = re.compile(r"(?P<id>[A-Za-z0-9_.:+-]+)-(?:status|context)\.json")
_NAME_MAX = 255  # what file systems allow; nothing can have been kept under a longer one


class Archive:
    """A folder of acquisitions that have ended.

    Args:
        folder: Where they are kept.
        current: Where they come from.
    """

    def __init__(self, folder: Path, current: Path) -> None:
        self._folder = folder
        self._current = current

    def take(self, id: str) -> None:
        """Move an acquisition here; may be repeated after a crash.

        Raises:
            OSError: It could not be moved completely.
        """
        if file_of(self._current, id, "context").exists():
            self._make_room(id)
        for kind in KINDS:
            with suppress(FileNotFoundError):
                file_of(self._current, id, kind).replace(file_of(self._folder, id, kind))
        fsync_folder(self._folder)
        fsync_folder(self._current)

    def has(self, id: str) -> bool:
        """Tell whether there is one of an id."""
        return file_of(self._folder, id, "context").exists()

    def newest(self, id: str) -> Kept | None:
        """Return the newest acquisition of an id.

        Raises:
            DamagedError: It is there and cannot be read.
        """
        return self._read(id, id) if is_id(id) else None

    def of_file_id(self, id: str, file_id: str) -> Kept | None:
        """Return the acquisition of an id and a file id; one that is damaged is passed over.

        Raises:
            UnreadableError: The disk does not give one now, which may be that one.
        """
        name = self._name_of(id, file_id)
        return self._read(name, id) if name else None

    def correct(self, status: DaqStatus) -> None:
        """Replace the status of the acquisition of its id and file id, if that is there.

        Raises:
            OSError: It could not be written, or the disk does not give it now.
        """
        name = self._name_of(status.id, status.file_id)
        if name:
            write_json_atomic(file_of(self._folder, name, "status"), status)

    def _name_of(self, id: str, file_id: str) -> str:
        """Return the name under which it is kept, empty when it is not there."""
        for name in self._names(id):
            try:
                found = self._read(name, id)
            except UnreadableError:
                raise
            except DamagedError:
                continue
            if found is not None and found[0].file_id == file_id:
                return name
        return ""

    def _names(self, id: str) -> Iterator[str]:
        if is_id(id):
            yield id
            yield from (f"{id}~{number}" for number in range(1, self._free_number(id)))

    def _read(self, name: str, id: str) -> Kept | None:
        return read_both(self._folder, name, id)

    def _make_room(self, id: str) -> None:
        """Give an older acquisition of the id a name with a number."""
        if not any(file_of(self._folder, id, kind).exists() for kind in KINDS):
            return
        number = self._free_number(id)
        for kind in KINDS:
            with suppress(FileNotFoundError):
                old = file_of(self._folder, id, kind)
                old.replace(file_of(self._folder, f"{id}~{number}", kind))

    def _free_number(self, id: str) -> int:
        number = 1
        while self.has(f"{id}~{number}"):
            number += 1
        return number


def read_both(folder: Path, name: str, id: str) -> Kept | None:
    """Read the two files of an acquisition, None when they are not there.

    Raises:
        DamagedError: They cannot be used.
    """
    try:
        return read_kept(file_of(folder, name, "status"), file_of(folder, name, "context"), id)
    except FileNotFoundError:
        return None


def file_of(folder: Path, name: str, kind: str) -> Path:
    """Return where the status or the context of an acquisition is kept."""
    return folder / f"{name}-{kind}.json"


def id_of(path: Path) -> str:
    """Return the id of the acquisition of a file, empty when it is no such file."""
    match = _OURS.fullmatch(path.name)
    return match["id"] if match else ""


def is_id(text: str) -> bool:
    """Tell whether an acquisition of that id can have been kept."""
    name = f"{text}-context.json"
    return len(name) <= _NAME_MAX and _OURS.fullmatch(name) is not None
