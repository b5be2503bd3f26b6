"""A file that a writer takes over."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.event_files import FileHeader
from objects.logger_stream.files.data_file import DataFile
from objects.logger_stream.files.index_file import IndexFile
from objects.logger_stream.files.summary import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An event file that can be written on, as it stands.

    Attributes:
        header: Its first record.
        data: Its data.
        index: Its index.
        tally: What it holds.
    """

    header: FileHeader
    data: DataFile
    index: IndexFile
    tally: Tally
