"""Makes a file that was not closed whole again: keeps each whole event, tells what was cut.

What stands in the file behind the last whole record is cut off. Damaged bytes before whole
records stay, as the document of a record of type ``D0XX`` that is laid over them, so that a
reader comes over them; only where there is no room for one, or the first record is damaged,
the file is written anew. A file is changed only while no other process writes it, and a
recovery that was interrupted is begun again without harm.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from idl_like_interfaces.event_files import FileHeader, SideCar
from idl_like_interfaces.event_logger import FileState
from objects.component.clock import Clock, SystemClock
from objects.logger_stream.files.content import FirstRecord, read_first, read_last
from objects.logger_stream.files.data_file import DataFile
from objects.logger_stream.files.index import Entries
from objects.logger_stream.files.index_file import IndexFile, cut_index
from objects.logger_stream.files.layout import final_path, index_path
from objects.logger_stream.files.rewriting import can_cover, covers, write_anew
from objects.logger_stream.files.scan import Progress
from objects.logger_stream.files.sidecar import read_side_car, replace_side_car
from objects.logger_stream.files.summary import Tally
from objects.logger_stream.files.table import Table, map_file, read_index

Sequences: TypeAlias = "npt.NDArray[np.uint64]"


_WRITABLE = 0o644


@dataclass(slots=True, kw_only=True)
class Recovered:
    """A file that is whole and can be written on.

    Attributes:
        path: The file, with ``.part``.
        header: Its first record.
        size: Its bytes.
        events: Events in it.
        state: As its side-car told it last: ``OPEN`` or ``END``.
        cut: What was cut off or is damaged, in words; empty: nothing.
        read: Bytes of the file that had to be read and checked.
        tail: The sequences of each sender behind the trusted bytes, in the order of the file.
        tally: What it holds.
        index_size: Bytes of its index.
        file_check: Check of its first record.
    """

    path: Path
    header: FileHeader
    size: int
    events: int
    state: FileState
    cut: list[str]
    read: int
    tail: dict[int, Sequences]
    tally: Tally
    index_size: int
    file_check: int


def recover(
    path: Path,
    trusted: int = 0,
    *,
    header: FileHeader | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> Recovered:
    """Make a file whole that was not closed; index and side-car, too.

    Args:
        path: The file, with ``.part``.
        trusted: So many bytes of it are on the disk, as somebody else has written down; what
            the index tells of them is believed when it agrees with the data.
        header: What to write when the first record is damaged; None: what the side-car
            says, else what can be known from name and events.
        clock: The time; None: the system's.
        progress: Told how far it has come with what must be read.

    Raises:
        FileInUse: Another process writes the file.
        OSError: It cannot be read or changed; whole records are whole as before.
    """
    clock = clock or SystemClock()
    side_car = read_side_car(path)
    size = path.stat().st_size
    cut = [_missing(trusted, size)] if trusted > size else []
    for each in (path, index_path(path)):  # a close may have come so far already
        if each.exists() and not each.stat().st_mode & stat.S_IWUSR:
            each.chmod(_WRITABLE)
    told = header or (side_car.header if side_car else None)
    with DataFile(path, size) as file:
        found = _Recovery(file, clock, side_car, cut).run(trusted, progress)
        if found is not None:
            return found
        cut += write_anew(file, told, clock)
    # What stood where is not known any more: nothing is trusted, all is told as the tail.
    with DataFile(path, path.stat().st_size) as file:
        found = _Recovery(file, clock, side_car, cut).run(0, progress)
    assert found is not None
    return found


def _missing(trusted: int, size: int) -> str:
    return f"{trusted - size} bytes are missing: {trusted} had been synced, {size} are there"


class _Recovery:
    """A recovery in place.

    Args:
        file: The file, locked.
        clock: The time.
        side_car: As it was found.
        cut: What was cut off before.
    """

    def __init__(
        self, file: DataFile, clock: Clock, side_car: SideCar | None, cut: list[str]
    ) -> None:
        self._file = file
        self._clock = clock
        self._side_car = side_car
        self._cut = cut

    def run(self, trusted: int, progress: Progress | None) -> Recovered | None:
        """Do it; None: nothing was changed, the file must be written anew before."""
        path = self._file.path
        data = map_file(path)
        first = read_first(data)
        if first.header is None:
            return None
        table = Table(data, read_index(path), first.end)
        table.adopt(first.check, len(data), trusted)
        adopted = len(table.sections)
        begin = table.end
        table.extend(read_last(data, first.end, len(data))[1], progress)
        if not all(map(can_cover, table.damages)):
            return None
        self._repair(table)
        index_size = _index(table, adopted, path, first)
        tally = self._tally(table)
        recovered = Recovered(
            path=path,
            header=first.header,
            size=table.end,
            events=tally.events,
            state=self._state(),
            cut=self._cut,
            read=len(data) - begin,
            tail=_tail(table, trusted),
            tally=tally,
            index_size=index_size,
            file_check=first.check,
        )
        replace_side_car(path, self._told(recovered))
        return recovered

    def _repair(self, table: Table) -> None:
        """Lay records over what is damaged, cut off what is torn, have all on the disk."""
        for damage in table.damages:
            self._cut.append(f"damaged, left where they are and skipped: {damage.text}")
            for begin, cover in covers(table.data, damage):
                self._file.lay(begin, cover)
        if table.tail is not None:
            self._cut.append(f"cut off: {table.tail.text}")
        self._file.truncate(table.end)
        self._file.sync()

    def _tally(self, table: Table) -> Tally:
        tally = Tally()
        for number in range(len(table.sections)):
            tally.add(table.entries(number)[0])
        before = self._side_car.summary if self._side_car else None
        told = "; ".join(self._cut) or "nothing was cut off"
        tally.recovered = f"{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}: {told}"
        if before is not None:
            tally.gaps = list(before.gaps)
            tally.recovered = "; ".join(filter(None, (before.recovered, tally.recovered)))
        return tally

    def _state(self) -> FileState:
        is_full = self._side_car is not None and self._side_car.state == FileState.END
        return FileState.END if is_full else FileState.OPEN

    def _told(self, recovered: Recovered) -> SideCar:
        return SideCar(
            file=final_path(recovered.path).name,
            header=recovered.header,
            summary=recovered.tally.summary(recovered.size),
            state=recovered.state,
            updated=self._clock.utc(),
        )


def _index(table: Table, adopted: int, path: Path, first: FirstRecord) -> int:
    """Write what the index lacks; return its size."""
    chunks = [section.chunk for section in table.sections[:adopted]]
    size = chunks[-1].index_end if chunks else 0
    end = chunks[-1].end if chunks else first.end
    before = sum(chunk.count for chunk in chunks)
    cut_index(path, size)
    index = IndexFile(path, first.check, end, size=size, before=before)
    try:
        for number in range(adopted, len(table.sections)):
            index.skip(table.sections[number].chunk.begin, table.end)
            index.add(table.entries(number)[0])
        index.flush(table.end)
        return index.size
    finally:
        index.close()


def _tail(table: Table, trusted: int) -> dict[int, Sequences]:
    """Return the sequences of each sender behind a place, in the order of the file."""
    found: list[Entries] = []
    for number, section in enumerate(table.sections):
        if section.chunk.end > trusted:
            entries, places = table.entries(number)
            found.append(entries[places[:-1] >= trusted])
    if not found:
        return {}
    tail = np.concatenate(found)
    senders = tail["sender"]
    return {int(each): tail["sequence"][senders == each] for each in np.unique(senders)}
