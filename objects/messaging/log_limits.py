"""How much the log service keeps: when a file is closed for a new one, and which has to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHARES = 16
"""The store consists of about so many files, which come and go as a whole."""

LEAST_FILES = 2
"""Of fewer none goes: the last one is written."""

_KIB = 1024
_SMALLEST, _LARGEST = 256 * _KIB, 64 * _KIB * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """What is kept; ``None`` sets no limit.

    Attributes:
        max_age_s: Records that arrived longer ago go.
        max_bytes: Size of all files together.
        max_records: Records in all files together.
        spare_s: On a full disk older records may go before their time; younger ones never do.
    """

    max_age_s: float | None = None
    max_bytes: int = 2 * 1024 * _KIB * _KIB
    max_records: int | None = None
    spare_s: float = 7 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What decides about a file.

    Attributes:
        bytes: Its size.
        records: Records in it.
        made_s: When it was made, seconds since 1970.
        closed_s: When its last record arrived; of the one that is written: now.
    """

    bytes: int
    records: int
    made_s: float
    closed_s: float


def is_full(written: FileFacts, limits: LogLimits, now_s: float) -> bool:
    """Tell whether the file that is written is to be closed for a new one."""
    if not written.records:
        return False
    share = min(max(limits.max_bytes // SHARES, _SMALLEST), _LARGEST)
    if written.bytes >= share:
        return True
    if limits.max_records is not None and written.records >= max(1, limits.max_records // SHARES):
        return True
    return limits.max_age_s is not None and now_s - written.made_s >= limits.max_age_s / SHARES


def must_go(files: Sequence[FileFacts], limits: LogLimits, now_s: float) -> bool:
    """Tell whether the first of all files, oldest first, has to go; the last one never does."""
    if len(files) < LEAST_FILES:
        return False
    if sum(each.bytes for each in files) > limits.max_bytes:
        return True
    if limits.max_records is not None and sum(each.records for each in files) > limits.max_records:
        return True
    return limits.max_age_s is not None and now_s - files[0].closed_s > limits.max_age_s


def may_go(files: Sequence[FileFacts], limits: LogLimits, now_s: float) -> bool:
    """Tell whether the first of all files may go to make room on a full disk."""
    return len(files) >= LEAST_FILES and now_s - files[0].closed_s > limits.spare_s
