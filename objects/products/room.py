"""Whether a disk has room for what is about to be written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from idl_like_interfaces.daqif import DaqAlert
from objects.products import alerts
from objects.products.merge.undo import is_private
from objects.products.progress import Step
from objects.products.sources import SourceFile
from objects.products.transfer import NO_ROOM, ROOM, TransferFailed


def require_room(folder: Path, size: int) -> None:
    """Begin nothing that can only fill the disk for everybody else.

    Raises:
        TransferFailed: There are fewer bytes free.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise TransferFailed(
            f"{os.strerror(errno.ENOSPC)}: {size} bytes are needed, {free} are free",
            cause=_CAUSE,
            remedy=ROOM,
            passing=True,
        )


def lack_of_room(folder: Path, files: Sequence[SourceFile], *, in_place: bool) -> DaqAlert | None:
    """Tell that a product of these files has no place.

    Args:
        folder: Of the acquisition; the product is made there.
        files: What it is made of.
        in_place: The merger may make the product of the target itself, which then needs no
            second place. Whether its headers have room for that, the merger finds out, and
            looks for room itself before it writes.
    """
    paths = [
        folder / file.path
        for file in files
        if not (in_place and file.is_target and is_private(folder / file.path))
    ]
    try:
        require_room(folder, sum(path.stat().st_size for path in paths))
    except TransferFailed as failure:
        return room_alert(Step.MERGE, failure.description)
    return None


def room_alert(step: Step, description: str) -> DaqAlert:
    """Return the alert of a step that a full disk of the workspace has stopped."""
    return alerts.error(f"{step}/room", description, cause=_CAUSE, remedy=ROOM)


def speaks_of_room(found: Sequence[DaqAlert]) -> bool:
    """Tell whether a merger has failed for want of room."""
    return any(text in alert.description for alert in found for text in _TEXTS)


_CAUSE = "the disk of the DPM is full"

_TEXTS = tuple(os.strerror(number) for number in NO_ROOM)
