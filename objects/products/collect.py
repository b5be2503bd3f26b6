"""Collects the source files of an acquisition into its folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from idl_like_interfaces.daqif import DaqAlert
from objects.component.atomic import PART_SUFFIX
from objects.products import alerts
from objects.products.cancel import Cancel
from objects.products.locations import Location, parse_location
from objects.products.progress import Step
from objects.products.sources import SourceFile
from objects.products.transfer import (
    TransferFailed,
    bring,
    copy,
    hard_link,
    reason,
    reflink,
)


def collect(
    files: Sequence[SourceFile],
    folder: Path,
    stopped_at: datetime,
    here: frozenset[str],
    cancel: Cancel,
) -> list[DaqAlert]:
    """Bring every file that is not there yet, or has changed since.

    Args:
        files: What is needed.
        folder: Folder of the acquisition.
        stopped_at: A file that was modified later is suspicious.
        here: Names of this host.
        cancel: Ends it.

    Returns:
        An error for each file that could not be brought, a warning for each that is
        suspicious.

    Raises:
        Cancelled: Asked to end.
    """
    found: list[DaqAlert] = []
    for file in files:
        name = Path(file.path).name
        origin = parse_location(file.origin, here)
        try:
            _fetch(origin, folder / file.path, file, cancel)
        except TransferFailed as failure:
            found.append(_not_collected(file, name, failure))
        else:
            found += _suspicions(origin, file, name, stopped_at)
    return found


def _not_collected(file: SourceFile, name: str, failure: TransferFailed) -> DaqAlert:
    return alerts.error(
        f"{Step.COLLECT}/{name}",
        f"file {file.origin} of source {file.source_name} cannot be collected: "
        f"{failure.description}",
        cause=failure.cause,
        remedy=failure.remedy,
    )


def _fetch(origin: Location, place: Path, file: SourceFile, cancel: Cancel) -> None:
    """Bring one file; files of other hosts are told apart here and nowhere else."""
    if not origin.is_local:
        raise TransferFailed(
            f"it is on host {origin.host}",
            cause="this DPM collects files of its own host only",
            remedy="mount that disk here and give the local path, or run a DPM on that host",
        )
    _fetch_local(Path(origin.path), place, file, cancel)


def _fetch_local(origin: Path, place: Path, file: SourceFile, cancel: Cancel) -> None:
    try:
        if _is_current(origin, place):
            return
        place.unlink(missing_ok=True)
        place.with_name(f".{place.name}{PART_SUFFIX}").unlink(missing_ok=True)
        real = _regular(origin)
        # The merger changes its target: a hard link would let it change the original.
        ways = (reflink, copy) if file.is_target else (hard_link, reflink, copy)
        bring(real, place, ways, cancel)
    except OSError as error:
        cause, remedy = reason(error)
        raise TransferFailed(error.strerror or str(error), cause=cause, remedy=remedy) from error


def _is_current(origin: Path, place: Path) -> bool:
    if not place.exists():
        return False
    try:
        theirs, ours = origin.stat(), place.stat()
    except FileNotFoundError:
        return True  # collected before; nobody has to keep the original after that
    return os.path.samestat(theirs, ours) or (
        (theirs.st_size, theirs.st_mtime_ns) == (ours.st_size, ours.st_mtime_ns)
    )


def _regular(origin: Path) -> Path:
    real = origin.resolve(strict=True)  # a link to a symbolic link would only be one more
    if not stat.S_ISREG(real.stat().st_mode):
        raise TransferFailed(
            "it is not a regular file",
            cause="the source named a folder or device",
            remedy="correct what the source delivers and start the acquisition again",
        )
    return real


def _suspicions(
    origin: Location, file: SourceFile, name: str, stopped_at: datetime
) -> list[DaqAlert]:
    with suppress(OSError):
        modified = Path(origin.path).stat().st_mtime
        if modified > stopped_at.timestamp():
            return [_late(file, name, modified, stopped_at)]
    return []


def _late(file: SourceFile, name: str, modified: float, stopped_at: datetime) -> DaqAlert:
    when = datetime.fromtimestamp(modified, UTC)
    return alerts.warning(
        f"{Step.COLLECT}/time/{name}",
        f"file {file.origin} of source {file.source_name} was modified at "
        f"{when:%Y-%m-%dT%H:%M:%S}Z, after the acquisition had stopped "
        f"({stopped_at:%Y-%m-%dT%H:%M:%S}Z)",
        cause="the source still wrote, its clock is wrong, or somebody edited the file",
        remedy="check that the file is complete",
    )
