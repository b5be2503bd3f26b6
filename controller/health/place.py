"""The place where it runs: disk space and clock."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from controller.health.finding import Finding, bad

LEAST_FREE = 0.05
"""Part of a disk that should be free."""

_OLDEST = datetime(2025, 1, 1, tzinfo=UTC)
_GIB = 1024**3


def examine_space(folder: Path) -> Finding:
    """Examine whether a data root can be written and has space."""
    subject = f"data root {folder}"
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return bad(
            subject,
            f"cannot be examined: {error.strerror}",
            cause="the folder does not exist or its disk is not mounted",
            remedy="mount the disk, or give the folder of the installation file",
        )
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return bad(
            subject,
            "cannot be written",
            cause="it is no folder, belongs to somebody else, or is mounted read-only",
            remedy="own or mount it so that you may write, or change `data_root`",
        )
    return judge_space(subject, usage.total, usage.free)


def judge_space(subject: str, total: int, free: int) -> Finding:
    """Judge the free part of a disk."""
    found = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free >= total * LEAST_FREE:
        return Finding(subject=subject, found=found)
    return bad(
        subject,
        found,
        cause=f"less than {LEAST_FREE:.0%} of the disk is free",
        remedy="move finished products away before acquisitions fail",
    )


def examine_clock() -> Finding:
    """Examine whether the clock can be right and counts well enough for time stamps."""
    return judge_clock(datetime.now(UTC), time.get_clock_info("time").resolution)


def judge_clock(now: datetime, resolution_s: float) -> Finding:
    """Judge a time and the resolution of its clock."""
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC, resolution {resolution_s:g} s"
    if now >= _OLDEST and resolution_s <= 1e-3:  # noqa: PLR2004 (file ids count milliseconds)
        return Finding(subject="clock", found=found)
    return bad(
        "clock",
        found,
        cause="the clock is not set, or too coarse for the milliseconds of file ids",
        remedy="set it and keep it with NTP or PTP (e.g. chrony)",
    )
