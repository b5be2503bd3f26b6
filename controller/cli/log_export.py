"""``obsorb log export``: all matching records as JSON lines, with progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from controller.cli.log_pages import pages
from controller.cli.log_text import size_text
from controller.cli.output import print_note
from controller.failure import CommandFailed
from idl_like_interfaces.logs import LogQuery, LogService

STDOUT = Path("-")
_LEAST = timedelta(microseconds=1)
_Show: TypeAlias = Callable[[str], None]


def export_to(file: Path, service: LogService, query: LogQuery, *, overwrite: bool) -> None:
    """Write all matching records, and say how many there were.

    Args:
        file: Where to; ``-`` is stdout. It appears when it is complete.
        service: The log service.
        query: Which records.
        overwrite: Replace a file that is there.

    Raises:
        CommandFailed: The file is there already, or cannot be written.
    """
    if file == STDOUT:
        _write(sys.stdout.buffer, service, query, "stdout")
        return
    if file.exists() and not overwrite:
        raise CommandFailed(f"{file} is there already", remedy="give another name, or --overwrite")
    try:
        with _beside(file) as out:
            _write(out, service, query, str(file))
    except OSError as error:
        raise CommandFailed(
            f"{file} cannot be written: {error.strerror or error}",
            cause="its folder is missing or takes no more",
            remedy="correct the name, or make room; nothing of it is left",
        ) from error


@contextmanager
def _beside(file: Path) -> Iterator[BinaryIO]:
    """Open a file that has its name only once it is complete."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write(out: BinaryIO, service: LogService, query: LogQuery, where: str) -> None:
    records = size = 0
    encoder = msgspec.json.Encoder()
    with _progress() as show:
        for page in pages(service, _ended(service, query)):
            lines = encoder.encode_lines(page)
            out.write(lines)
            records += len(page)
            size += len(lines)
            show(f"{records} records, up to {page[-1].record.time:%Y-%m-%dT%H:%M:%SZ}")
        out.flush()
    print_note(f"{records} records in {where}, {size_text(size)}")


def _ended(service: LogService, query: LogQuery) -> LogQuery:
    """Let it end with what is there now: else it would run after what comes."""
    newest = service.query(msgspec.structs.replace(query, limit=1, newest=True))
    if not newest:
        return query
    until = newest[0].record.time + _LEAST
    return msgspec.structs.replace(query, until=min(query.until or until, until))


@contextmanager
def _progress() -> Iterator[_Show]:
    """Yield what shows a text on stderr, when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("looking") as status:
        yield status.update
