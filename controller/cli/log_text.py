"""Log records and their statistics as text."""

from __future__ import annotations

import shutil
import sys
import textwrap
from datetime import UTC, datetime

from controller.folded import folded_note
from idl_like_interfaces.logs import LogStats, StoredRecord

_KIB = 1024.0
_NARROWEST = 40
_INDENT = " " * 4


def record_text(stored: StoredRecord, width: int | None = None) -> str:
    """Say a record on one line, with its traceback below.

    Args:
        stored: The record.
        width: Columns of the terminal; what is longer goes on below, indented. ``None``: it is
            no terminal, and a line stays one.
    """
    record = stored.record
    owner = f"[{record.owner}] " if record.owner else ""
    line = (
        f"{_stamp(record.time)} {record.level:<8} {record.component:<10} "
        f"{record.logger}: {owner}{record.text}{folded_note(record)}"
    )
    if width is not None:
        line = "\n".join(_wrapped(each, width) for each in line.splitlines())
    return f"{line}\n{record.traceback.rstrip()}" if record.traceback else line


def _wrapped(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    wrapped = textwrap.wrap(
        line, width, subsequent_indent=_INDENT, break_on_hyphens=False, replace_whitespace=False
    )
    return "\n".join(wrapped)


def terminal_width() -> int | None:
    """Return the columns of the terminal that stdout is; ``None``: it is none."""
    if not sys.stdout.isatty():
        return None
    return max(_NARROWEST, shutil.get_terminal_size().columns)


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
