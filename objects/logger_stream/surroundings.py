"""What a stream finds where it runs, and whom it tells what becomes of its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import FileKind, StreamConfiguration, WrittenFile
from objects.component.clock import Clock

if TYPE_CHECKING:
    from objects.logger_stream.files.writer import EventFileWriter
    from objects.logger_stream.volumes import Volumes

LEFT = "the logger ends"
"""Why files are closed whose run goes on at the next start."""

MISMATCH = "run number mismatch"
"""Why files are closed at which events of another run were aimed."""

MakeHeader: TypeAlias = Callable[[StreamConfiguration, int, FileKind], FileHeader]
"""Makes the first record of a file of a stream, given its number in the stream and its kind."""


class StreamListener(Protocol):
    """Who is told of a stream's files; called in the stream's thread, must not wait long."""

    def file_opened(self, file: WrittenFile) -> None:
        """A file was begun."""

    def file_closed(self, file: WrittenFile) -> None:
        """A file is CLOSED: on the disk, digested, read-only. Told once of each."""

    def file_failed(self, file: WrittenFile) -> None:
        """A file is in ERROR and keeps what it has; its ``problem`` says why. Told once of each."""

    def stream_troubled(self, stream: str, problem: str) -> None:
        """The stream cannot write now, and tries again; told when the reason changes."""

    def stream_recovered(self, stream: str) -> None:
        """The stream writes again."""

    def events_lost(self, stream: str, count: int, reason: str) -> None:
        """Accepted events are on no disk and will not be: the bytes cannot be read any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all streams of a run share.

    Attributes:
        run: Run number.
        clock: The time.
        volumes: Where files can be written.
        header: Makes the first records of files.
        listener: Is told of the files.
    """

    run: int
    clock: Clock
    volumes: Volumes
    header: MakeHeader
    listener: StreamListener


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """Files of this stream and run that a start of the logger before this one has left.

    Attributes:
        finished: Those in state ``CLOSED`` and ``ERROR``; they stay as they are.
        writers: The others, recovered and resumed; the stream writes on and closes them.
    """

    finished: tuple[WrittenFile, ...] = ()
    writers: tuple[EventFileWriter, ...] = ()
