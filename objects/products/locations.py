"""Where a file is: on this host or on another one (``host:/path``)."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import PurePosixPath

_LOCATION = re.compile(r"(?:(?P<host>[^/:]+):)?(?P<path>/.*)", re.DOTALL)

# Nothing that ssh or rsync could take for an option, a port or another host.
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]*")

ALWAYS_LOCAL = frozenset({"", "localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A file or folder.

    Attributes:
        host: Another host; empty: this one.
        path: Absolute path.
    """

    host: str
    path: PurePosixPath

    @property
    def is_local(self) -> bool:
        """Tell whether the path is one of this host."""
        return not self.host


def local_names() -> frozenset[str]:
    """Return the names under which this host knows itself."""
    own = socket.gethostname()
    return ALWAYS_LOCAL | {own, own.partition(".")[0]}


def parse_location(text: str, here: frozenset[str]) -> Location:
    """Read ``/path`` or ``host:/path``; a host that is in ``here`` means this one.

    Raises:
        ValueError: It is neither, or one that cannot be.
    """
    found = _LOCATION.fullmatch(text)
    if found is None:
        raise ValueError(f"location {text!r} is neither an absolute path nor host:/path")
    return place(found["host"] or "", found["path"], here)


def place(host: str, path: str, here: frozenset[str]) -> Location:
    """Return a location; a host that is in ``here`` means this one.

    Raises:
        ValueError: The host is no name of one, or the path leads upwards.
    """
    if host in here:
        host = ""
    elif _HOST.fullmatch(host) is None:
        raise ValueError(
            f"{host!r} is no host: it must be a name or an IPv4 address, with user@ before it or not"
        )
    read = PurePosixPath(path)
    if "\0" in path or ".." in read.parts[:-1]:
        raise ValueError(f"path {path!r} has a part '..' or a null character")
    return Location(host=host, path=read)
