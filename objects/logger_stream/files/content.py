"""An event file as it stands on the disk: header, events, trailer, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.event_files import HEADER_TYPE, TRAILER_TYPE, FileHeader, FileTrailer
from idl_like_interfaces.event_message import CHECK, FRAME
from objects.logger_stream.files.frames import Data, chain, chain_back
from objects.logger_stream.files.layout import NoDocument, final_path, read_document
from objects.logger_stream.files.scan import Progress
from objects.logger_stream.files.table import Table, map_file, read_index


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRecord:
    """The first record of a file.

    Attributes:
        header: What it says; None: it is not there, or damaged.
        end: Where the records behind it begin; 0: there is no first record.
        check: Its check.
        fault: Why there is no header.
    """

    header: FileHeader | None
    end: int = 0
    check: int = 0
    fault: str = ""


@dataclass(slots=True, kw_only=True)
class Content:
    """What a file holds.

    Attributes:
        path: Of the file.
        data: Its bytes.
        first: Its first record.
        table: Its events.
        trailer: Its last record; None: it has none.
        trailer_begin: Where that begins.
    """

    path: Path
    data: Data
    first: FirstRecord
    table: Table
    trailer: FileTrailer | None = None
    trailer_begin: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether it has the name of a closed file."""
        return self.path == final_path(self.path)


def read_first(data: Data) -> FirstRecord:
    """Read the first record of a file."""
    starts, end = chain(data, 0, len(data), 1)
    if not starts:
        fault = "the file is empty" if not len(data) else "its first record is not whole"
        return FirstRecord(header=None, fault=fault)
    with memoryview(data) as view, view[FRAME.size : end - FRAME.size] as message:
        try:
            header = read_document(message, HEADER_TYPE, FileHeader)
        except NoDocument as fault:
            return FirstRecord(header=None, fault=f"its first record is no header: {fault}")
        return FirstRecord(
            header=header, end=end, check=CHECK.unpack_from(message, len(message) - CHECK.size)[0]
        )


def read_last(data: Data, begin: int, end: int) -> tuple[FileTrailer | None, int]:
    """Read the trailer of a file, if its last record is one; return also where it begins."""
    start = end - 8 - int.from_bytes(data[end - 4 : end], "big") if end - begin > 8 else -1  # noqa: PLR2004 (two lengths)
    if start < begin or chain_back(data, start, end) != start:
        return None, end
    with memoryview(data) as view, view[start + FRAME.size : end - FRAME.size] as message:
        try:
            return read_document(message, TRAILER_TYPE, FileTrailer), start
        except NoDocument:
            return None, end


def read_content(
    path: Path, *, uses_index: bool = True, progress: Progress | None = None
) -> Content:
    """Look at a file; of its events only those are read that no index tells.

    Args:
        path: Of the file.
        uses_index: Take from the index what agrees with the data; else all is read and checked.
        progress: Told how far it has come.

    Raises:
        OSError: It cannot be read.
    """
    data = map_file(path)
    first = read_first(data)
    table = Table(data, read_index(path) if uses_index else b"", first.end)
    trailer, trailer_begin = read_last(data, first.end, len(data))
    if uses_index and first.header is not None:
        table.adopt(first.check, trailer_begin)
    table.extend(len(data), progress)
    return Content(
        path=path,
        data=data,
        first=first,
        table=table,
        trailer=trailer,
        trailer_begin=trailer_begin,
    )
