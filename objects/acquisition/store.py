"""The coordinator's workspace: what survives its end.

::

    list.json                        ids of the acquisitions in progress, oldest first
    in-progress/{id}-status.json     status as published
    in-progress/{id}-context.json    everything else
    archive/                         the same two files after the end
    abandoned.json                   ids and file ids of those that the DPM may finish still
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from idl_like_interfaces.daqif import DaqState, DaqStatus
from idl_like_interfaces.declare import Document
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.mapping.json_text import json_value
from objects.acquisition.archive import KINDS, Archive, file_of, id_of, is_id, read_both
from objects.acquisition.context import Context
from objects.acquisition.salvage import DamagedError, Kept, read_list
from objects.component.atomic import PART_SUFFIX, write_json_atomic

log = logging.getLogger("daq.ocm")

MODE = 0o774


class Abandonment(Document, frozen=True, kw_only=True, rename="camel"):
    """An acquisition that was aborted here only.

    Attributes:
        id: Its id, which may be in use again.
        file_id: Its file id.
    """

    id: str
    file_id: str


class WorkspaceError(OSError):
    """The workspace cannot be used; says what is wrong and what to do."""


class Workspace:
    """The folder of one coordinator; held by one process at a time.

    Attributes:
        faults: What was found damaged in it, one text each.
        past: Those that have ended.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []
        self._list = folder / "list.json"
        self._abandoned = folder / "abandoned.json"
        self._current = folder / "in-progress"
        self._archive = folder / "archive"
        self.past = Archive(self._archive, self._current)
        self._held: int | None = None

    def open(self) -> None:
        """Create or check the folder and keep other processes out of it.

        Raises:
            WorkspaceError: It holds foreign files, another process has it, or it
                cannot be written; it is unchanged then.
        """
        if self.folder.exists():
            self._check_content()
        try:
            for folder in (self.folder, self._current, self._archive):
                _create(folder)
            self._hold()
            self._remove_parts()
            if not self._list.exists() and not self._present():
                self.save_list([])
        except OSError as error:
            self.close()
            if isinstance(error, WorkspaceError):
                raise
            text = f"the workspace {self.folder} cannot be written: {error.strerror or error}"
            raise WorkspaceError(text) from error

    def close(self) -> None:
        """Let other processes have it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def save(self, status: DaqStatus, context: Context, kept: Kept | None = None) -> None:
        """Keep an acquisition in progress; on return it survives a crash.

        Args:
            status: Its status.
            context: Everything else.
            kept: What was saved before, so that only what differs is written.

        Raises:
            OSError: It could not be written; what was kept before is as it was.
        """
        # The context first: a status never tells of something that the context lacks.
        if kept is None or context != kept[1]:
            write_json_atomic(file_of(self._current, status.id, "context"), context)
        if kept is None or status != kept[0]:
            write_json_atomic(file_of(self._current, status.id, "status"), status)

    def archive(self, id: str) -> None:
        """Put away an acquisition that has ended; see ``Archive.take``."""
        self.past.take(id)

    def remove(self, id: str) -> None:
        """Forget one whose start was refused, as far as the disk allows."""
        for kind in reversed(KINDS):
            with suppress(OSError):
                file_of(self._current, id, kind).unlink()

    def save_list(self, ids: list[str]) -> None:
        """Keep which acquisitions are in progress.

        Raises:
            OSError: It could not be written; the old list stands.
        """
        write_json_atomic(self._list, ids)

    def save_abandoned(self, ids: Mapping[str, str]) -> None:
        """Keep the ids, by file id, of those that were aborted here only.

        Raises:
            OSError: It could not be written; what was kept before stands.
        """
        told = [Abandonment(id=id, file_id=file_id) for file_id, id in ids.items()]
        write_json_atomic(self._abandoned, told)

    def load_abandoned(self) -> dict[str, str]:
        """Return them; none when the file is missing or damaged."""
        try:
            plain = json_value(self._abandoned.read_bytes(), self._abandoned.name)
            if isinstance(plain, dict):
                # Earlier versions kept file ids by id, and so one of each id only.
                old = from_plain(dict[str, str], plain, self._abandoned.name)
                return {file_id: id for id, file_id in old.items()}
            found = from_plain(list[Abandonment], plain, self._abandoned.name)
        except FileNotFoundError:
            return {}
        except (BadParam, OSError) as error:
            log.error("%s is passed over: %s", self._abandoned, error)
            return {}
        return {each.file_id: each.id for each in found}

    def load(self) -> list[Kept]:
        """Return the acquisitions in progress, oldest first; put away what has ended.

        What is damaged is told in ``faults``, and the rest goes on.
        """
        listed = self._load_list()
        # Its client may have heard of it: it was kept and published before it was listed.
        kept = self._load_all([*listed, *sorted(self._present() - set(listed))])
        loaded = {status.id for status, _ in kept}
        for orphan in sorted(self._present() - loaded):
            log.warning("acquisition %s is not readable, or has ended: archived", orphan)
            self.archive(orphan)
        return kept

    def _load_list(self) -> list[str]:
        try:
            ids = read_list(self._list)
        except DamagedError as damaged:
            self.faults.append(f"{damaged}; taken up is whatever is in progress")
            return sorted(self._present())
        return [id for id in dict.fromkeys(ids) if is_id(id)]

    def _load_all(self, ids: list[str]) -> list[Kept]:
        kept: list[Kept] = []
        for id in ids:
            try:
                found = read_both(self._current, id, id)
            except DamagedError as damaged:
                self.faults.append(f"acquisition {id} is lost: {damaged}")
                continue
            if found is None and not self.past.has(id):
                self.faults.append(f"acquisition {id} is lost: its context is not there any more")
            elif found is not None and found[0].state is DaqState.COMPLETED:
                self.archive(id)
            elif found is not None:
                kept.append(found)
        if self.faults:
            # Without a list the age tells the order.
            kept.sort(key=lambda each: each[1].creation_time)
        return kept

    def _check_content(self) -> None:
        foreign = [
            path
            for path in (*_children(self.folder), *_children(self._current))
            if not path.name.endswith(PART_SUFFIX) and not self._is_ours(path)
        ]
        if foreign:
            text = (
                f"the workspace {self.folder} holds something that is not the coordinator's:"
                f" {foreign[0].relative_to(self.folder)}; choose another folder or clear it"
            )
            raise WorkspaceError(text)

    def _is_ours(self, path: Path) -> bool:
        if path in (self._current, self._archive):
            return path.is_dir()
        is_file = path in (self._list, self._abandoned) or (
            path.parent == self._current and bool(id_of(path))
        )
        return is_file and not path.is_dir()

    def _hold(self) -> None:
        self._held = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = f"the workspace {self.folder} is in use by another process: end that first"
            raise WorkspaceError(text) from error

    def _remove_parts(self) -> None:
        for folder in (self.folder, self._current, self._archive):
            for part in folder.glob(f".*{PART_SUFFIX}"):
                part.unlink()

    def _present(self) -> set[str]:
        return {id for path in _children(self._current) if (id := id_of(path))}


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _create(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(MODE)
