"""How many files a process may have open at once."""

from __future__ import annotations

import contextlib
import resource


def open_files_allowed() -> int:
    """Let this process open as many files as it may, and return how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft
