"""Log records and their statistics as text."""

from __future__ import annotations

from datetime import UTC, datetime

from idl_like_interfaces.logs import LogRecord, LogStats, StoredRecord

_KIB = 1024.0


def record_text(stored: StoredRecord) -> str:
    """Say a record on one line, with its traceback below."""
    record = stored.record
    owner = f"[{record.owner}] " if record.owner else ""
    line = (
        f"{_stamp(record.time)} {record.level:<8} {record.component:<10} "
        f"{record.logger}: {owner}{record.text}{_folded(record)}"
    )
    return f"{line}\n{record.traceback.rstrip()}" if record.traceback else line


def _folded(record: LogRecord) -> str:
    if record.count == 1:
        return ""
    until = record.until.astimezone(UTC) if record.until else None
    if until is None:
        return f" (x {record.count})"
    is_other_day = until.date() != record.time.astimezone(UTC).date()
    return (
        f" (x {record.count} until {until:{'%Y-%m-%dT%H:%M:%SZ' if is_other_day else '%H:%M:%S'}})"
    )


def stats_text(stats: LogStats) -> str:
    """Say on a few lines, none longer than 80 characters, how much is stored."""
    lines = [
        f"{stats.records} records in {size_text(stats.bytes)}, the last is number {stats.last}",
        f"oldest   {_stamp(stats.oldest) if stats.oldest else 'none'}",
        f"folded   {stats.folded} more stand behind the records",
        f"lost     {stats.lost} before they got here",
        f"removed  {stats.removed} since the store was made",
    ]
    if stats.problem:
        lines.append(f"problem  nothing can be stored: {stats.problem}")
    lines += [f"level      {level:<20} {count:>12}" for level, count in stats.by_level.items()]
    lines += [f"component  {name:<20} {count:>12}" for name, count in stats.by_component.items()]
    return "\n".join(lines)


def size_text(size: float) -> str:
    """Say a number of bytes with a fitting unit."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < _KIB:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= _KIB
    return f"{size:.1f} GiB"


def _stamp(time: datetime) -> str:
    moment = time.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
