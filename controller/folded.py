"""How many records a folded log record stands for, in words."""

from __future__ import annotations

from datetime import UTC

from idl_like_interfaces.logs import LogRecord


def folded_note(record: LogRecord) -> str:
    """Return what goes behind the text of a record, e.g. ``(x 512 until 03:12:04)``; or nothing."""
    if record.count == 1:
        return ""
    if record.until is None:
        return f" (x {record.count})"
    until = record.until.astimezone(UTC)
    is_other_day = until.date() != record.time.astimezone(UTC).date()
    moment = f"{until:%Y-%m-%dT%H:%M:%SZ}" if is_other_day else f"{until:%H:%M:%S}"
    return f" (x {record.count} until {moment})"
