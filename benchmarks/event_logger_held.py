"""A stream whose disk takes nothing, in a process of its own: what it keeps in memory."""

from __future__ import annotations

import os
import threading

from benchmarks.processes import memory
from benchmarks.streams_obsorb import RUN, Streams
from idl_like_interfaces.event_logger import StreamConfiguration, StreamParameters
from idl_like_interfaces.event_message import EventHeader, frame_event
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import WASTE, Records
from objects.logger_stream.stream import Stream
from objects.logger_stream.volumes import AT_ONCE

_BATCH = 1024
_SIZE = 4096
_MIB = 1024 * 1024


class Held(Streams):
    """A stream that waits for its volume, which others have taken for good.

    Args:
        folder: For its files.
        queue_mib: Its queue holds so much.
    """

    def __init__(self, folder: str, queue_mib: str) -> None:
        super().__init__(folder, "1")
        self._queue_bytes = int(queue_mib) * _MIB
        parameters = StreamParameters(
            volumes=["."], queue_bytes=self._queue_bytes, queue_events=1_000_000
        )
        self._stream = Stream(
            StreamConfiguration(name="all", id=1, parameters=parameters), self._around
        )
        self._streams.append(self._stream)
        self._first = 1

    def fill(self, share: int) -> float:
        """Give it events until it takes none; return the memory they take by the queue's bound.

        Args:
            share: It gets one of so many events of each batch.
        """
        self._put(share)
        pause = threading.Event()
        while self._stream.status().queue_events:
            pause.wait(0.01)
        turns = [each.turn for each in self._around.volumes.all for _ in range(AT_ONCE)]
        for turn in turns:
            turn.acquire()
        try:
            before = memory(os.getpid())["RSS"]
            while self._put(share):
                pass
            grown = memory(os.getpid())["RSS"] - before
        finally:
            for turn in turns:
                turn.release()
        return grown * _MIB / self._queue_bytes

    def _put(self, share: int) -> int:
        batch = _batch(self._first)
        self._first += len(batch)
        # As a delivery does with what is for a stream.
        return self._stream.put(Records(batch.view, batch.index[: len(batch) // share]).own(WASTE))


def _batch(first: int) -> Records:
    payload = bytes(_SIZE)
    headers = (
        EventHeader(run=RUN, event=n, lbn=1, streams=(1,), sender=1, sequence=n)
        for n in range(first, first + _BATCH)
    )
    return parse(b"".join(frame_event(each, payload) for each in headers)).records
