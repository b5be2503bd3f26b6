"""Files of this host as their sources left them: whether they are there, and have changed."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from objects.products.transfer import TransferFailed

log = logging.getLogger("daq.dpm.transfer")

Mark = tuple[int, int]
"""Size and time of a file: whether it has changed."""


def mark(path: Path) -> Mark:
    """Note the state of a file."""
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns


def is_current(origin: Path, place: Path, *, may_have_changed: bool) -> bool:
    """Tell whether what was collected is there, and is as its original.

    An original that is gone has not changed: nobody has to keep it. Of one that cannot be
    looked at now nobody knows, and a copy that is good is kept.

    Args:
        origin: The original.
        place: What was collected of it.
        may_have_changed: A merger was at work on it: without the original nobody can tell.

    Raises:
        TransferFailed: The original, which is needed to tell, cannot be looked at.
    """
    if not place.exists():
        return False
    try:
        return origin.samefile(place) or mark(origin) == mark(place)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        if may_have_changed:
            raise TransferFailed.of(error) from error
        log.warning("%s is taken as it was collected: %s", place.name, error.strerror)
        return True


def regular(origin: Path) -> Path:
    """Return the file itself that a name stands for.

    Raises:
        TransferFailed: It is a folder or device.
        OSError: It is not there.
    """
    # A link to a symbolic link would only be one more.
    real = Path(os.path.realpath(origin, strict=True))
    if not stat.S_ISREG(real.stat().st_mode):
        raise TransferFailed(
            "it is not a regular file",
            cause="the source named a folder or device",
            remedy="correct what the source delivers and start the acquisition again",
        )
    return real
