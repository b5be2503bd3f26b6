"""Event files by hand, no server running: what ``obsorb stream`` offers.

Each function is an entry point of the group ``obsorb.tools``; it prints nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event as Flag

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_files import (
    FileListing,
    FileRecovery,
    FileReport,
    FileSummary,
    SideCar,
)
from objects.component.atomic import PART_SUFFIX
from objects.component.clock import SystemClock
from objects.logger_stream.files.content import read_content, read_first, read_last
from objects.logger_stream.files.frames import search
from objects.logger_stream.files.index_file import IndexFile
from objects.logger_stream.files.layout import final_path, index_path, part_path, parts_of_name
from objects.logger_stream.files.locking import FileInUse, is_locked
from objects.logger_stream.files.reader import Event, EventFile, NotAnEventFile
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.scan import Progress
from objects.logger_stream.files.sidecar import finish_side_car, read_side_car
from objects.logger_stream.files.summary import Tally
from objects.logger_stream.files.table import map_file
from objects.logger_stream.files.verify import state_of, verify
from objects.logger_stream.files.writer import EventFileWriter

SUFFIX = ".raw"


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Return event files: those that are named, and those in folders and below, by name.

    Raises:
        BadParam: There is no such file or folder.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted([*path.rglob(f"*{SUFFIX}"), *path.rglob(f"*{SUFFIX}{PART_SUFFIX}")])
        elif path.exists():
            found.append(path)
        elif part_path(path).exists():
            found.append(part_path(path))
        else:
            raise BadParam(
                f"there is no {path}",
                field="path",
                remedy="give an event file (*.raw, *.raw.part) or a folder with some",
            )
    return found


def list_file(path: Path) -> FileListing:
    """Tell what can be told of a file without reading its events.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        is_written = is_locked(stream.fileno())
    data = map_file(path)
    side_car = read_side_car(path)
    first = read_first(data)
    trailer = None if is_written else read_last(data, first.end, len(data))[0]
    summary = trailer.summary if trailer else side_car.summary if side_car else None
    is_orphan = trailer is None and not is_written
    problem = "not closed, and nobody writes it" if is_orphan else ""
    if side_car is not None and side_car.problem:
        problem = side_car.problem
    return FileListing(
        path=str(path),
        size_bytes=len(data),
        state=state_of(path, side_car) if first.header else "",
        is_written=is_written,
        header=first.header,
        summary=summary,
        digest=side_car.digest if side_car else "",
        reason_closed=trailer.reason_closed if trailer else "",
        problem=first.fault or problem,
    )


def read_events(
    path: Path,
    *,
    events: tuple[int, int] | None = None,
    lbns: tuple[int, int] | None = None,
    sender: int | None = None,
    follows: bool = False,
    stop: Flag | None = None,
) -> Iterator[Event]:
    """Yield the events of a file within bounds; see ``EventFile.select``.

    Args:
        path: The file.
        events: Least and greatest event number.
        lbns: The same of luminosity blocks.
        sender: Of this start of a sender.
        follows: Go on as long as the file is written.
        stop: Ends following.

    Raises:
        OSError: The file cannot be read.
        BadParam: It is no event file.
    """
    try:
        with EventFile(path) as file:
            if not follows:
                yield from file.select(events=events, lbns=lbns, sender=sender)
                return
            for event in file.follow(stop):
                header = event.header
                if (
                    _is_in(header.event, events)
                    and _is_in(header.lbn, lbns)
                    and sender in (None, header.sender)
                ):
                    yield event
    except NotAnEventFile as error:
        raise BadParam(
            str(error),
            field="path",
            cause="it is another file, or its first record was damaged",
            remedy=f"if it is one: obsorb stream recover {path}",
        ) from error


def verify_file(path: Path, progress: Progress | None = None) -> FileReport:
    """Examine a file; see ``verify``."""
    return verify(path, progress)


def recover_file(
    path: Path,
    *,
    takes_closed: bool = False,
    stays_open: bool = False,
    progress: Progress | None = None,
) -> FileRecovery:
    """Make a file whole that nobody writes any more, and close it.

    Args:
        path: The file.
        takes_closed: Also one that is closed: it is opened again, and gets another trailer and
            digest.
        stays_open: Do not close it: a logger will go on with it.
        progress: Told how far it has come.

    Raises:
        OSError: It cannot be read or written.
        BadParam: It is closed, or somebody writes it.
    """
    _refuse_stranger(path)
    part = path
    if path == final_path(path):
        if not takes_closed:
            raise BadParam(
                f"{path} is closed, and a closed file is not changed",
                field="path",
                cause="its name says so: what is not closed ends with .part",
                remedy="see with `obsorb stream verify` what is wrong; to change it all the same give --closed",
            )
        part = path.rename(part_path(path))
    try:
        recovered = recover(part, progress=progress)
    except FileInUse as error:
        raise BadParam(
            f"{part} is being written",
            field="path",
            cause="a logger, or another recovery, has it open",
            remedy="let it end the run; a logger that starts again recovers its files by itself",
        ) from error
    told = FileRecovery(
        path=str(part),
        events=recovered.events,
        size_bytes=recovered.size,
        cut=recovered.cut,
        read_bytes=recovered.read,
    )
    if stays_open:
        return told
    closed = EventFileWriter.resume(recovered, SystemClock()).close("recovered")
    return FileRecovery(
        path=closed.path,
        events=closed.events,
        size_bytes=closed.size_bytes,
        cut=recovered.cut,
        read_bytes=recovered.read,
        is_closed=True,
        digest=closed.digest,
    )


def _refuse_stranger(path: Path) -> None:
    """Refuse a file in which nothing tells that it is an event file: it would be emptied."""
    data = map_file(path)
    is_known = read_first(data).header or read_side_car(path) or parts_of_name(path)
    if not is_known and search(data, 0, len(data)) == len(data):
        raise BadParam(
            f"{path} is no event file",
            field="path",
            cause="it has no header and no event, no side-car, and not the name of one",
            remedy="give an event file: <stream>_<run>_<number>.raw.part",
        )


def index_file(path: Path, progress: Progress | None = None) -> FileSummary:
    """Make the index of a closed file anew, and its side-car if there is none; read all of it.

    A side-car whose digest is another one than the file's stays: it tells that the file changed.

    Raises:
        OSError: The file cannot be read, or its folder not be written.
        BadParam: It is not closed, or no event file.
    """
    content = read_content(path, uses_index=False, progress=progress)
    if content.trailer is None or content.first.header is None:
        raise BadParam(
            f"{path} is not closed",
            field="path",
            cause="it has no trailer, or no header",
            remedy=f"if nobody writes it: obsorb stream recover {path}",
        )
    tally = Tally()
    index_path(path).unlink(missing_ok=True)
    index = IndexFile(path, content.first.check, content.first.end)
    try:
        for number, section in enumerate(content.table.sections):
            entries = content.table.entries(number)[0]
            tally.add(entries)
            index.skip(section.chunk.begin, len(content.data))
            index.add(entries)
        index.flush(len(content.data))
        index.finish()
    finally:
        index.close()
    if read_side_car(path) is None:
        finish_side_car(
            path,
            SideCar(
                file=path.name,
                header=content.first.header,
                summary=content.trailer.summary,
                state=state_of(path, None),
                updated=SystemClock().utc(),
                trailer=content.trailer,
                digest=verify(path).digest,
            ),
        )
    return tally.summary(content.trailer_begin)


def _is_in(value: int, bounds: tuple[int, int] | None) -> bool:
    return bounds is None or bounds[0] <= value <= bounds[1]
