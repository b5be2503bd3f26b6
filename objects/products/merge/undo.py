"""What brings the target of an unfinished merge in place back, whatever ended that merge.

Before the first byte of the target changes, its headers, size and time are on disk beside
it. The record stays until whoever ordered the merge has the product where it belongs.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from objects.component.atomic import fsync_folder, write_json_atomic
from objects.products.merge.layout import Hdu

_MODE = 0o644


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header as it was."""

    offset: int
    octets: bytes


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """A target as it was; ``inode`` tells it from a file that took its name later."""

    inode: int
    size: int
    time_ns: int
    headers: list[_Header]


def is_private(target: Path) -> bool:
    """Tell whether no other name and no rule says that somebody else may need the file."""
    is_file = target.is_file() and not target.is_symlink()
    return is_file and target.stat().st_nlink == 1 and os.access(target, os.W_OK)


def remember(target: Path, hdus: list[Hdu]) -> None:
    """Write the record of a target with all its HDUs; on return it survives a crash.

    Raises:
        OSError: It could not be read or written.
    """
    with target.open("rb") as file:
        was = os.fstat(file.fileno())
        headers = []
        for hdu in hdus:
            file.seek(hdu.offset)
            octets = file.read(hdu.data_offset - hdu.offset)
            headers.append(_Header(offset=hdu.offset, octets=octets))
    record = _Record(inode=was.st_ino, size=was.st_size, time_ns=was.st_mtime_ns, headers=headers)
    write_json_atomic(_place(target), record)


def put_back(target: Path, product: Path) -> None:
    """Make the target what it was, if a merge in place has begun with it; may be repeated.

    Args:
        target: The file.
        product: Where it may stand instead, changed or complete.

    Raises:
        OSError: It could not be written; the record stays.
    """
    record = _read(target)
    if record is None:
        return
    _await_its_merger([target, product], record)
    if not target.exists() and _is(product, record):
        product.chmod(_MODE)
        product.rename(target)
    if _is(target, record):
        _write_back(target, record)
    forget(target)


def forget(target: Path) -> None:
    """Remove the record: the product is where it belongs, or the target as it was.

    Raises:
        OSError: It cannot be removed.
    """
    with suppress(FileNotFoundError):
        _place(target).unlink()
        fsync_folder(target.parent)


def _await_its_merger(places: list[Path], record: _Record) -> None:
    """Wait until a merger that was killed is gone: it may be in the middle of a write yet."""
    for place in places:
        if _is(place, record):
            with place.open("rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            return


def _write_back(target: Path, record: _Record) -> None:
    with target.open("r+b") as file:
        for header in record.headers:
            file.seek(header.offset)
            file.write(header.octets)
        file.truncate(record.size)
        file.flush()
        os.utime(file.fileno(), ns=(record.time_ns, record.time_ns))
        os.fsync(file.fileno())
    fsync_folder(target.parent)


def _read(target: Path) -> _Record | None:
    try:
        return msgspec.json.decode(_place(target).read_bytes(), type=_Record)
    except FileNotFoundError:
        return None


def _is(path: Path, record: _Record) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return found.st_ino == record.inode and found.st_size >= record.size


def _place(target: Path) -> Path:
    return target.with_name(f".{target.name}.undo")
