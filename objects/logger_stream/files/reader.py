"""Reads event files, for scripts: ``with EventFile(path) as file: for event in file: …``."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_files import FileHeader, FileTrailer, SideCar
from idl_like_interfaces.event_message import FRAME, EventHeader, Malformed, parse_event
from objects.logger_stream.files.content import Content, read_first, read_last
from objects.logger_stream.files.index import Offsets
from objects.logger_stream.files.layout import final_path, part_path
from objects.logger_stream.files.locking import is_locked
from objects.logger_stream.files.scan import Damage
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.table import Table, map_file, read_index
from objects.logger_stream.records import Mask

_LOOK_S = 0.05
"""How often a file that grows is looked at again."""


class NotAnEventFile(ValueError):
    """The file does not begin as one; the text says what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a file.

    Attributes:
        number: Its place in the file, from 0.
        offset: Where its record begins, in bytes.
        header: What it says of itself.
        message: All of it without the frame: a view of the file.
        payload: A view of the file.
    """

    number: int
    offset: int
    header: EventHeader
    message: memoryview
    payload: memoryview


class EventFile(Closing):
    """An event file, closed or not; looks like a sequence of its events.

    It is mapped, and read where it is looked at. Each event is checked when it is read. Of a
    file that is being written it knows what was flushed when it was opened, or at the last
    ``refresh``. Damaged places are skipped when one goes over the file, and told in
    ``problems``; asked for by its number, a damaged event is a ``Malformed``.

    Args:
        path: The file; if there is none, but one with ``.part`` behind, that one.
        uses_index: False: read all of the file and not its index.

    Attributes:
        path: The file that was found.
        header: Its first record.

    Raises:
        OSError: It cannot be read.
        NotAnEventFile: Its first record is not as it should be.
    """

    def __init__(self, path: Path, *, uses_index: bool = True) -> None:
        self.path = path if path.exists() or not part_path(path).exists() else part_path(path)
        self._uses_index = uses_index
        self._grows = False
        self._content = self._look()
        assert self._content.first.header is not None
        self.header: FileHeader = self._content.first.header

    @override
    def close(self) -> None:
        # Views of events keep the mapping as long as somebody has them.
        self._content.table.forget()

    @property
    def trailer(self) -> FileTrailer | None:
        """The last record; None: it is not closed."""
        return self._content.trailer

    @property
    def size(self) -> int:
        """How far it is known, in bytes."""
        return self._content.table.end

    @property
    def problems(self) -> list[str]:
        """Damaged places, and what ends the file in the middle of a record; each in words."""
        table = self._content.table
        found = [*table.damages, *([table.tail] if table.tail else [])]
        return [damage.text for damage in found]

    def side_car(self) -> SideCar | None:
        """Return what stands beside it now; None: nothing that can be read."""
        return read_side_car(self.path)

    def __len__(self) -> int:
        return self._content.table.events

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = place + len(self) if place < 0 else place
        if not 0 <= number < len(self):
            raise IndexError(f"event {place} of {len(self)} in {self.path}")
        table = self._content.table
        section = table.section_of(number)
        _, places = table.entries(section)
        return self._event(number - table.sections[section].chunk.before, section, places)

    def __iter__(self) -> Iterator[Event]:
        for section in range(len(self._content.table.sections)):
            entries, places = self._content.table.entries(section)
            yield from self._events(range(len(entries)), section, places)

    def __reversed__(self) -> Iterator[Event]:
        for section in reversed(range(len(self._content.table.sections))):
            entries, places = self._content.table.entries(section)
            yield from self._events(reversed(range(len(entries))), section, places)

    def by_event(self, event: int) -> Event:
        """Return the first event with an event number.

        Raises:
            LookupError: There is none.
        """
        for found in self.select(events=(event, event)):
            return found
        raise LookupError(f"no event {event} in {self.path}, which has {self._ranges()}")

    def by_lbn(self, lbn: int) -> Iterator[Event]:
        """Yield the events of a luminosity block."""
        return self.select(lbns=(lbn, lbn))

    def select(
        self,
        *,
        events: tuple[int, int] | None = None,
        lbns: tuple[int, int] | None = None,
        sender: int | None = None,
    ) -> Iterator[Event]:
        """Yield the events within bounds, in their order; what is None does not matter.

        Args:
            events: Least and greatest event number.
            lbns: The same of luminosity blocks.
            sender: Of this start of a sender.
        """
        table = self._content.table
        for number, section in enumerate(table.sections):
            chunk = section.chunk
            if _misses(events, chunk.events) or _misses(lbns, chunk.lbns):
                continue
            entries, places = table.entries(number)
            mask = _within(entries["event"], events) & _within(entries["lbn"], lbns)
            if sender is not None:
                mask &= np.equal(entries["sender"], sender)
            yield from self._events(np.flatnonzero(mask).tolist(), number, places)

    def refresh(self) -> int:
        """Look at what was written since; return how many events are new."""
        before = len(self)
        if not self.path.exists() and final_path(self.path).exists():
            self.path = final_path(self.path)
        if self._grows and self._is_written():
            index = read_index(self.path)
            if len(index) != len(self._content.table.index):
                data = map_file(self.path)
                self._content.data = data
                self._content.table.grow(index, data, self._content.first.check)
        else:
            self._content = self._look()
        return len(self) - before

    def follow(
        self, stop: threading.Event | None = None, timeout_s: float | None = None
    ) -> Iterator[Event]:
        """Yield all events, then those that are written, as soon as they are flushed.

        It ends when the file is closed, or ``stop`` is set, or nothing comes for a time.

        Args:
            stop: Ends it.
            timeout_s: The longest pause between two events; None: as long as the file is open.
        """
        stop = stop or threading.Event()
        done, paused_s = 0, 0.0
        while not stop.is_set():
            is_closed = self.trailer is not None
            if done < len(self):
                paused_s = 0.0
                yield from self._from(done, stop)
                done = len(self)
            elif is_closed or (timeout_s is not None and paused_s >= timeout_s):
                return
            else:
                stop.wait(_LOOK_S)
                paused_s += _LOOK_S
            if self.trailer is None:
                self.refresh()

    def _from(self, first: int, stop: threading.Event) -> Iterator[Event]:
        for number in range(first, len(self)):
            if stop.is_set():
                return
            yield self[number]

    def _events(self, rows: Iterable[int], section: int, places: Offsets) -> Iterator[Event]:
        """Yield events; those that are damaged are skipped, and told."""
        for row in rows:
            try:
                event = self._event(row, section, places)
            except Malformed as fault:
                begin, end = int(places[row]), int(places[row + 1])
                damage = Damage(begin=begin, end=end, reason=f"a damaged record: {fault}")
                if damage not in self._content.table.damages:
                    self._content.table.damages.append(damage)
            else:
                yield event

    def _event(self, row: int, section: int, places: Offsets) -> Event:
        begin, end = int(places[row]), int(places[row + 1])
        content = self._content
        message = memoryview(content.data)[begin + FRAME.size : end - FRAME.size]
        header, payload = parse_event(message)
        number = content.table.sections[section].chunk.before + row
        return Event(number=number, offset=begin, header=header, message=message, payload=payload)

    def _look(self) -> Content:
        """Look at the file as it is now.

        Of one that somebody writes nothing is looked at behind what its index tells: its writer
        cuts off what it could not write whole.
        """
        self._grows = self._is_written()
        # The index first: what it tells is in the data that are looked at after it.
        index = read_index(self.path) if self._uses_index or self._grows else b""
        data = map_file(self.path)
        first = read_first(data)
        if first.header is None:
            raise NotAnEventFile(f"{self.path}: {first.fault}")
        table = Table(data, index, first.end)
        trailer, trailer_begin = None, len(data)
        if not self._grows:
            trailer, trailer_begin = read_last(data, first.end, len(data))
        table.adopt(first.check, trailer_begin)
        if not self._grows:
            table.extend(len(data))
        return Content(
            path=self.path, data=data, first=first, table=table, trailer=trailer,
            trailer_begin=trailer_begin,
        )  # fmt: skip

    def _is_written(self) -> bool:
        with self.path.open("rb") as stream:
            return is_locked(stream.fileno())

    def _ranges(self) -> str:
        chunks = [section.chunk for section in self._content.table.sections]
        if not chunks:
            return "no events"
        least = min(chunk.events[0] for chunk in chunks)
        return f"events {least} to {max(chunk.events[1] for chunk in chunks)}"


def _misses(wanted: tuple[int, int] | None, there: tuple[int, int]) -> bool:
    return wanted is not None and (wanted[1] < there[0] or wanted[0] > there[1])


def _within(values: npt.NDArray[np.uint32], wanted: tuple[int, int] | None) -> Mask:
    if wanted is None:
        return np.ones(len(values), np.bool_)
    return np.logical_and(values >= wanted[0], values <= wanted[1])
