"""The process with many event streams, each with files of its own."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from typing_extensions import override

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import (
    FileKind,
    StreamConfiguration,
    StreamParameters,
    WrittenFile,
)
from idl_like_interfaces.event_message import FRAME, EventHeader, encode_event
from objects.component.clock import SystemClock
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records
from objects.logger_stream.stream import Stream
from objects.logger_stream.surroundings import StreamListener, Surroundings
from objects.logger_stream.volumes import Volumes

RUN = 1


class _Silent(StreamListener):
    """Is told, and says nothing."""

    @override
    def file_opened(self, file: WrittenFile) -> None: ...

    @override
    def file_closed(self, file: WrittenFile) -> None: ...

    @override
    def file_failed(self, file: WrittenFile) -> None: ...

    @override
    def stream_troubled(self, stream: str, problem: str) -> None: ...

    @override
    def stream_recovered(self, stream: str) -> None: ...

    @override
    def events_lost(self, stream: str, count: int, reason: str) -> None: ...


class Streams(AbstractContextManager["Streams"]):
    """Streams of one run.

    Args:
        folder: For the files.
        count: How many streams.
    """

    def __init__(self, folder: str, count: str) -> None:
        self.hello = None
        self._count = int(count)
        self._streams: list[Stream] = []
        clock = SystemClock()
        self._around = Surroundings(
            run=RUN,
            clock=clock,
            volumes=Volumes(Path(folder), clock),
            header=self._header,
            listener=_Silent(),
        )
        self._given = _events(10)

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def begin(self) -> float:
        """Begin all streams; return in how many seconds."""
        began = time.monotonic()
        for number in range(self._count):
            parameters = StreamParameters(volumes=["."], queue_bytes=1 << 20)
            of = StreamConfiguration(name=f"s{number}", id=number, parameters=parameters)
            self._streams.append(Stream(of, self._around))
        return time.monotonic() - began

    def write(self, rounds: int) -> float:
        """Give ten events to each stream, once a second at most; return the seconds of a round."""
        began = time.monotonic()
        pause = threading.Event()
        for turn in range(rounds):
            pause.wait(max(0.0, began + turn - time.monotonic()))
            for each in self._streams:
                each.put(self._given)
        while any(each.status().queue_events for each in self._streams):
            pause.wait(0.01)
        return (time.monotonic() - began) / rounds

    def end(self) -> float:
        """End all streams; return in how many seconds their files were closed."""
        began = time.monotonic()
        for each in self._streams:
            each.begin_end("end of run")
        for each in self._streams:
            each.join()
        self._streams.clear()
        return time.monotonic() - began

    def _header(self, stream: StreamConfiguration, number: int, kind: FileKind) -> FileHeader:
        return FileHeader(
            run=RUN,
            stream=stream,
            sequence=number,
            kind=kind,
            opened=self._around.clock.utc(),
            logger="logger",
            incarnation="1",
            host="here",
        )


def _events(count: int) -> Records:
    messages = [
        encode_event(EventHeader(run=RUN, event=n + 1, lbn=1, sender=1, sequence=n + 1), bytes(956))
        for n in range(count)
    ]
    frames = (FRAME.pack(len(each)) + each + FRAME.pack(len(each)) for each in messages)
    return parse(b"".join(frames)).records
