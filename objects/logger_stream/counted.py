"""A stream of a run that records nothing: it counts."""

from __future__ import annotations

import threading

from typing_extensions import override

from idl_like_interfaces.event_logger import GapNote, StreamConfiguration, StreamStatus, WrittenFile
from idl_like_interfaces.waiting import News
from objects.logger_stream.records import Records
from objects.logger_stream.run import RunStream


class CountedStream(RunStream):
    """Takes all at once; there is nothing to be made durable.

    Args:
        configuration: Of the stream.
    """

    def __init__(self, configuration: StreamConfiguration) -> None:
        self.configuration = configuration
        self.room = News()
        self.synced = News()
        self._lock = threading.Lock()
        self._events = self._bytes = self._ticket = 0

    @property
    @override
    def last_ticket(self) -> int:
        return self._ticket

    @property
    @override
    def durable_ticket(self) -> int:
        return self._ticket

    @override
    def put(self, records: Records) -> int:
        with self._lock:
            self._events += len(records)
            self._bytes += records.nbytes
            self._ticket += 1
        return len(records)

    @override
    def begin_end(self, reason: str) -> None:
        pass

    @override
    def begin_abort(self, reason: str) -> None:
        pass

    @override
    def join(self, timeout_s: float | None = None) -> bool:
        return True

    @override
    def note_gap(self, gap: GapNote) -> None:
        pass

    @override
    def close_files(self, reason: str) -> None:
        pass

    @override
    def status(self) -> StreamStatus:
        with self._lock:
            return StreamStatus(
                name=self.configuration.name,
                id=self.configuration.id,
                events=self._events,
                bytes=self._bytes,
            )

    @override
    def files(self) -> list[WrittenFile]:
        return []
