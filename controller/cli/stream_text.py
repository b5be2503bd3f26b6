"""Event files as text: a table of them, a line or a document for each event, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import PurePath
from typing import Any

from controller.cli.log_text import size_text
from controller.cli.styled import Styled
from idl_like_interfaces.event_files import FileFinding, FileListing, FileRecovery, FileReport
from idl_like_interfaces.event_message import EventHeader

_COLUMNS = ("STATE", "EVENTS", "SIZE", "NUMBERS", "LBNS", "DIGEST", "FILE")
_LEFT = {"STATE", "DIGEST", "FILE"}
_DIGEST = 8
"""Digits of a digest that a table shows."""

_NS = 1_000_000_000

EVENT_HEAD = (
    f"{'#':>7} {'EVENT':>8} {'LBN':>6} {'RUN':>7} {'BYTES':>7} {'TIME':<23} {'STREAMS':<11} "
    "SENDER:SEQUENCE NODE"
)

_STYLES = {"CLOSED": "green", "OPEN": "yellow", "END": "yellow", "ERROR": "bold red"}


def listing(files: Sequence[FileListing]) -> Iterator[Styled]:
    """Draw a table of files, folder by folder."""
    for folder, group in groupby(files, key=lambda each: str(PurePath(each.path).parent)):
        there = list(group)
        rows = [_row(each) for each in there]
        widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
        yield Styled(f"{folder}/", "bold")
        yield Styled(_aligned(_COLUMNS, widths), "dim")
        for file, row in zip(there, rows, strict=True):
            yield Styled(_aligned(row, widths), _style(file))
            if file.problem:
                yield Styled(f"  {file.problem}", "bold red" if file.state in ("", "ERROR") else "")
    yield Styled(_total(files))


def report_lines(report: FileReport) -> Iterator[Styled]:
    """Say what a verification has found: a line for the file, and some for each finding."""
    errors = sum(each.is_error for each in report.findings)
    remarks = len(report.findings) - errors
    counts = [
        _count(number, word) for number, word in ((errors, "error"), (remarks, "remark")) if number
    ]
    verdict = ", ".join(counts) or "good"
    events = _count(report.summary.events, "event")
    style = "bold red" if errors else "green"
    yield Styled(f"{report.path}: {report.state}, {events}, {verdict}", style)
    for found in report.findings:
        yield from _finding(found)


def recovery_lines(told: FileRecovery) -> Iterator[Styled]:
    """Say what a recovery did."""
    verb = "closed" if told.is_closed else "left open"
    events = _count(told.events, "event")
    yield Styled(f"{told.path}: {verb}, {events}, {size_text(told.size_bytes)}")
    for text in told.cut or ["nothing was cut off"]:
        yield Styled(f"  {text}", "yellow" if told.cut else "")
    if told.digest:
        yield Styled(f"  {told.digest}")


def event_line(event: Any) -> str:
    """Say an event on a line, below ``EVENT_HEAD``."""
    header: EventHeader = event.header
    streams = ",".join(map(str, header.streams)) or "-"
    return (
        f"{event.number:>7} {header.event:>8} {header.lbn:>6} {header.run:>7} "
        f"{len(event.payload):>7} {time_text(header.time_ns):<23} {streams:<11} "
        f"{header.sender:x}:{header.sequence} {header.node}"
    )


def event_fields(event: Any, file: str) -> dict[str, Any]:
    """Return what JSON tells of an event."""
    header: EventHeader = event.header
    return {
        "file": file,
        "number": event.number,
        "offset": event.offset,
        "bytes": len(event.payload),
        **{name: getattr(header, name) for name in header.__struct_fields__},
    }


def hex_lines(payload: memoryview) -> Iterator[str]:
    """Yield a payload as hexadecimal digits, 16 bytes on a line, and as letters beside."""
    for place in range(0, len(payload), 16):
        row = bytes(payload[place : place + 16])
        letters = "".join(chr(each) if 32 <= each < 127 else "." for each in row)  # noqa: PLR2004 (ASCII)
        yield f"    {place:08x}  {row.hex(' '):<47}  {letters}"


def time_text(time_ns: int) -> str:
    """Say nanoseconds since 1970 as a time to the millisecond; 0: not known."""
    if not time_ns:
        return "-"
    try:
        moment = datetime.fromtimestamp(time_ns // _NS, UTC)
    except (OverflowError, ValueError):
        return f"{time_ns} ns"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % _NS // 1_000_000:03d}"


def _row(file: FileListing) -> tuple[str, ...]:
    state = f"{file.state or '?'}{'*' if file.is_written else ''}"
    name = PurePath(file.path).name
    summary = file.summary
    if summary is None:
        return state, "?", size_text(file.size_bytes), "", "", "", name
    return (
        state,
        str(summary.events),
        size_text(file.size_bytes),
        _range(summary.first_event, summary.last_event) if summary.events else "",
        _range(summary.first_lbn, summary.last_lbn) if summary.events else "",
        file.digest.removeprefix("sha256:")[:_DIGEST],
        name,
    )


def _aligned(cells: Iterable[str], widths: list[int]) -> str:
    columns = zip(cells, widths, _COLUMNS, strict=True)
    texts = [
        f"{cell:<{width}}" if name in _LEFT else f"{cell:>{width}}" for cell, width, name in columns
    ]
    return "  ".join(texts).rstrip()


def _style(file: FileListing) -> str:
    return _STYLES.get(file.state, "bold red")


def _total(files: Sequence[FileListing]) -> str:
    events = sum(each.summary.events for each in files if each.summary)
    size = size_text(sum(each.size_bytes for each in files))
    written = sum(each.is_written for each in files)
    text = f"{_count(len(files), 'file')}, {_count(events, 'event')}, {size}"
    return f"{text}; * {_count(written, 'file')} being written" if written else text


def _finding(found: FileFinding) -> Iterator[Styled]:
    kind = "error" if found.is_error else "remark"
    yield Styled(f"  {kind}: {found.message}", "red" if found.is_error else "yellow")
    if found.cause:
        yield Styled(f"    cause: {found.cause}")
    if found.remedy:
        yield Styled(f"    remedy: {found.remedy}")


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
