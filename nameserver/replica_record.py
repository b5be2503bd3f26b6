"""What a name server remembers of its part over a restart: epoch and standing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec

from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import PersistStore
from idl_like_interfaces.replication import Standing
from nameserver.replica_states import Record

SUFFIX = ".replica"


class _Document(Value, frozen=True, kw_only=True):
    epoch: Annotated[int, msgspec.Meta(ge=0)]
    standing: Standing


class RecordKeeper:
    """Keeps the record in a file beside the name store, or in memory.

    Args:
        store: The name store's file; ``None``: in memory.
        has_names: The store is from before, not a new file.

    Attributes:
        record: The last one that was written. Without names it is that of a new
            server, which still knows the epoch; of names without a record nobody else
            knows more.

    Raises:
        PersistStore: The file cannot be read.
    """

    def __init__(self, store: Path | None, *, has_names: bool = False) -> None:
        self._path = store.with_name(store.name + SUFFIX) if store else None
        self.record = Record()
        if self._path is not None:
            self.record = _first(self._path, has_names=has_names)

    @property
    def is_kept(self) -> bool:
        """Tell whether there is a record on disk."""
        return self._path is not None and self._path.exists()

    def write(self, record: Record) -> None:
        """Remember a record: on return it survives a crash and loss of power.

        Raises:
            PersistStore: It could not be written; the one before is still there.
        """
        if record == self.record:
            return
        if self._path is not None:
            try:
                _write(self._path, record)
            except OSError as error:
                raise PersistStore(
                    f"the part of this name server cannot be written to {self._path}: {error}",
                    cause="the disk is full or fails, or the folder is not writable",
                    remedy="make space, or correct the permissions; it goes on by itself",
                ) from error
        self.record = record


def _first(path: Path, *, has_names: bool) -> Record:
    if not path.exists():
        # Names that a single name server has kept.
        return Record(epoch=1, standing=Standing.SOLE) if has_names else Record()
    read = _read(path)
    # Who moved the names away wants to begin anew; what is left must not win against the other.
    return read if has_names else Record(epoch=read.epoch)


def _read(path: Path) -> Record:
    try:
        read = msgspec.json.decode(path.read_bytes(), type=_Document)
    except (OSError, msgspec.DecodeError) as error:
        raise PersistStore(
            f"{path} does not say which part this name server had: {error}",
            cause="it was changed by hand, or its disk is damaged",
            remedy="move it and the name store beside it away; the names come from the other "
            "name server, or are bound again by their components",
        ) from error
    return Record(epoch=read.epoch, standing=read.standing)


def _write(path: Path, record: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(_Document(epoch=record.epoch, standing=record.standing)))
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
