"""One writer of a file at a time, and readers that can tell whether there is one.

Locks of the open file: they end with it, also when the process is killed, and asking for one takes
none, so that a reader is never in a writer's way.
"""

from __future__ import annotations

import errno
import fcntl
import struct

_FLOCK = struct.Struct("@hhqqi4x")
"""``struct flock``: type, whence, start, length, process."""

_WHOLE = (0, 0, 0, 0)


class FileInUse(BlockingIOError):
    """Another process (or another part of this one) writes the file."""


def lock(descriptor: int, path: str) -> None:
    """Become the one who writes a file, as long as the descriptor is open.

    Raises:
        FileInUse: There is another one.
    """
    wanted = _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except BlockingIOError as error:
        raise FileInUse(errno.EAGAIN, "another process writes the file", path) from error


def is_locked(descriptor: int) -> bool:
    """Tell whether somebody writes a file."""
    asked = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, *_WHOLE))
    kind: int = _FLOCK.unpack(asked)[0]
    return kind != fcntl.F_UNLCK
