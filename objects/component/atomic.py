"""Files that are either the old or the new one after a crash, never a part of one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import msgspec

PART_SUFFIX = ".part"
"""End of the name of a file that is being written; may be removed after a crash."""


def write_json_atomic(path: Path, value: Any) -> None:
    """Write a struct or plain value as indented JSON; on return it survives a crash.

    Raises:
        OSError: It could not be written; the old file is as it was.
    """
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    _replace(path, text + b"\n")


def write_text_atomic(path: Path, text: str) -> None:
    """Write a text as UTF-8; on return it survives a crash.

    Raises:
        OSError: It could not be written; the old file is as it was.
    """
    _replace(path, text.encode())


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder (new, renamed, removed files) survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, content: bytes) -> None:
    # A name of its own for each writer: two threads never share a part file.
    with NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX, delete=False
    ) as part:
        try:
            part.write(content)
            part.flush()
            os.fchmod(part.fileno(), 0o644)
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(part.name).unlink()
            raise
    fsync_folder(path.parent)
