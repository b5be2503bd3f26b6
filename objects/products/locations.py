"""Where a file is: on this host or on another one (``host:/path``)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from idl_like_interfaces.places import split_place

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


@cache
def local_names() -> frozenset[str]:
    """Return the names under which this host knows itself, with its domain and without.

    Asked once: where no name server answers, that takes its time.
    """
    names = {socket.gethostname(), socket.getfqdn()}
    return ALWAYS_LOCAL | names | {name.partition(".")[0] for name in names}


def parse_location(text: str, here: frozenset[str]) -> Location:
    """Read ``/path`` or ``host:/path``; a host that is in ``here`` means this one.

    Raises:
        ValueError: It is neither.
    """
    found = split_place(text)
    if found is None:
        raise ValueError(f"location {text!r} is neither an absolute path nor host:/path")
    return place(*found, here)


def place(host: str, path: str, here: frozenset[str]) -> Location:
    """Return a location; a host that is in ``here`` means this one."""
    return Location(host="" if host in here else host, path=PurePosixPath(path))
