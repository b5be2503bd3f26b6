"""Where a file is, as it is written: ``/path`` on this host, ``host:/path`` on another one."""

from __future__ import annotations

import re

HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_][A-Za-z0-9_.-]*"
"""A name or an IPv4 address, with ``user@`` before it or not."""

_PLACE = re.compile(rf"(?:(?P<host>{HOST}):)?(?P<path>/.*)", re.DOTALL)


def split_place(text: str) -> tuple[str, str] | None:
    """Return host (empty: this one) and absolute path; ``None``: the text is no such place."""
    found = _PLACE.fullmatch(text)
    return (found["host"] or "", found["path"]) if found else None
