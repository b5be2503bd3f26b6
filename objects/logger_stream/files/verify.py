"""Is an event file as it should be? Frames, checks, trailer, side-car, digest, index; only reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from idl_like_interfaces.event_files import DAMAGE_TYPE, FileFinding, FileReport, SideCar
from idl_like_interfaces.event_logger import FileState
from objects.logger_stream.files.content import Content, read_content
from objects.logger_stream.files.layout import final_path, index_path
from objects.logger_stream.files.scan import Progress
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.summary import Tally
from objects.logger_stream.files.table import Table, read_index

_STEP = 1024 * 1024
_RECOVER = "obsorb stream recover"
_INDEX = "obsorb stream index"


def verify(path: Path, progress: Progress | None = None) -> FileReport:
    """Examine a file and what stands beside it; nothing in it raises, nothing is changed.

    Args:
        path: The file.
        progress: Told how far it has come.

    Raises:
        OSError: It cannot be read.
    """
    content = read_content(path, uses_index=False, progress=progress)
    tally = Tally()
    for number in range(len(content.table.sections)):
        tally.add(content.table.entries(number)[0])
    digest = _digest(content) if content.trailer else ""
    findings = [
        *_of_data(content),
        *_of_trailer(content, tally),
        *_of_side_car(content, tally, digest),
        *_of_index(content),
    ]
    return FileReport(
        path=str(path),
        state=state_of(path, read_side_car(path)),
        summary=tally.summary(content.trailer_begin),
        digest=digest,
        findings=findings,
    )


def state_of(path: Path, side_car: SideCar | None) -> str:
    """Return the state of a file: its name says that it is closed, the side-car all else."""
    if path == final_path(path):
        return FileState.CLOSED
    return side_car.state if side_car and side_car.state != FileState.CLOSED else FileState.OPEN


def _of_data(content: Content) -> Iterator[FileFinding]:
    name = content.path
    closed = "--closed " if content.is_closed else ""
    if content.first.header is None:
        yield FileFinding(
            message=f"it does not begin as an event file: {content.first.fault}",
            cause="it is another file, or its first record was damaged",
            remedy=f"if it is one: {_RECOVER} {closed}{name}",
        )
    for damage in content.table.damages:
        yield FileFinding(
            message=f"damaged: {damage.text}",
            cause="a fault of the disk, or somebody else has written into the file",
            remedy=f"take a copy of the file from elsewhere; or keep the rest: {_RECOVER} {closed}{name}",
        )
    for other in content.table.others:
        if other.type == DAMAGE_TYPE:
            size = other.end - other.begin
            yield FileFinding(
                message=f"{size} bytes from byte {other.begin} on were damaged once, and are skipped",
                cause="a recovery has found them; see `recovered` in the trailer",
                remedy="nothing can be done but to send the events again, if somebody has them",
                is_error=False,
            )
    if content.table.tail is not None:
        yield FileFinding(
            message=f"it does not end with a whole record: {content.table.tail.text}",
            cause="it is being written, or its writer was killed, or the disk was full",
            remedy=f"if nobody writes it: {_RECOVER} {closed}{name}",
        )


def _of_trailer(content: Content, tally: Tally) -> Iterator[FileFinding]:
    trailer = content.trailer
    if trailer is None:
        yield FileFinding(
            message="it has no trailer: it is not closed",
            cause="it is being written, or its writer was killed",
            remedy=f"if nobody writes it: {_RECOVER} {content.path}",
            is_error=content.is_closed,
        )
        return
    there = tally.summary(content.trailer_begin)
    for name in (
        "events",
        "bytes",
        "first_event",
        "last_event",
        "first_lbn",
        "last_lbn",
        "senders",
    ):
        told, found = getattr(trailer.summary, name), getattr(there, name)
        if told != found:
            yield FileFinding(
                message=f"the trailer says {name} {told}, there are {found}",
                cause="records were lost or damaged after it was closed",
                remedy="take a copy of the file from elsewhere",
            )
    if trailer.crc != tally.crc:
        yield FileFinding(
            message=f"the trailer's CRC of all checks is {trailer.crc:08x}, of the events {tally.crc:08x}",
            cause="a record was lost, damaged or exchanged after it was closed",
            remedy="take a copy of the file from elsewhere",
        )


def _of_side_car(content: Content, tally: Tally, digest: str) -> Iterator[FileFinding]:
    side_car = read_side_car(content.path)
    remedy = f"{_INDEX} {content.path}"
    if side_car is None:
        yield FileFinding(
            message="there is no side-car that can be read",
            cause="it was not copied with the file, or was damaged",
            remedy=remedy,
            is_error=False,
        )
        return
    if side_car.digest and side_car.digest != digest:
        yield FileFinding(
            message=f"the side-car says {side_car.digest}, the file has {digest}",
            cause="the file was changed after it was closed, or the side-car is of another one",
            remedy="take a copy of the file from elsewhere",
        )
    is_final = content.trailer is not None and side_car.trailer == content.trailer
    is_before = side_car.summary.events <= tally.events and content.trailer is None
    if side_car.header != content.first.header or not (is_final or is_before):
        yield FileFinding(
            message=f"the side-car does not fit: {side_car.summary.events} events in state {side_car.state}",
            cause="its writer was killed before it could replace it",
            remedy=remedy,
            is_error=False,
        )


def _of_index(content: Content) -> Iterator[FileFinding]:
    if content.trailer and not index_path(content.path).exists():
        yield _index_fault(content.path, "there is none")
        return
    table = Table(content.data, read_index(content.path), content.first.end)
    if content.first.header is not None:
        table.adopt(content.first.check, content.trailer_begin, trusted=len(content.data))
    is_judged = content.trailer and not (table.faults or content.table.damages)
    if is_judged and table.events != content.table.events:
        table.faults.append(f"it tells of {table.events} events of {content.table.events}")
    for fault in table.faults:
        yield _index_fault(content.path, fault)


def _index_fault(path: Path, fault: str) -> FileFinding:
    return FileFinding(
        message=f"the index is not good: {fault}",
        cause="it was not copied with the file, or its writer was killed",
        remedy=f"{_INDEX} {path} (readers do without, more slowly)",
        is_error=False,
    )


def _digest(content: Content) -> str:
    digest = hashlib.sha256()
    with memoryview(content.data) as view:
        for place in range(0, len(view), _STEP):
            digest.update(view[place : place + _STEP])
    return f"sha256:{digest.hexdigest()}"
