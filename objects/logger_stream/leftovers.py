"""The files of a run that a start of the logger before this one has left, made whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from idl_like_interfaces.event_files import SideCar
from idl_like_interfaces.event_logger import FileState, WrittenFile
from objects.component.atomic import PART_SUFFIX
from objects.component.clock import Clock
from objects.logger_stream.files.content import read_content
from objects.logger_stream.files.index import Entries
from objects.logger_stream.files.layout import final_path, parts_of_name
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.sidecar import read_side_car, sweep_side_cars
from objects.logger_stream.files.summary import Tally, sender_name
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.records import Numbers
from objects.logger_stream.surroundings import Takeover

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Events in a file behind the mark of their sender.

    Attributes:
        sender: Its incarnation.
        stream: Name of the stream.
        sequences: Their numbers.
        sizes: Bytes of their messages, with frames.
    """

    sender: int
    stream: str
    sequences: Numbers
    sizes: Numbers


@dataclass(slots=True)
class Leftovers:
    """What was left of a run.

    Attributes:
        finished: Files that stay as they are, by stream.
        writers: Files that are written on, by stream.
        tails: Events behind the marks of their senders.
        lost: What could not be taken up, in words.
    """

    finished: dict[str, list[WrittenFile]] = field(default_factory=dict)
    writers: dict[str, list[EventFileWriter]] = field(default_factory=dict)
    tails: list[Tail] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def takeovers(self) -> dict[str, Takeover]:
        """Return what each stream goes on with."""
        return {
            name: Takeover(
                finished=tuple(self.finished.get(name, ())),
                writers=tuple(self.writers.get(name, ())),
            )
            for name in {*self.finished, *self.writers}
        }


def take_up(run: int, volumes: Iterable[Path], marks: dict[int, int], clock: Clock) -> Leftovers:
    """Look through the folders of a run on its volumes, and make each file whole.

    Args:
        run: Its number.
        volumes: The folders of its volumes.
        marks: How far each sender was known to be durable.
        clock: The time.
    """
    found = Leftovers()
    taken: dict[Path, set[str]] = {}
    for path in _files(run, volumes):
        try:
            _take_one(path, marks, clock, found)
        except OSError as error:
            log.error("%s cannot be taken up: %s", path, error)
            found.lost.append(f"{path} could not be recovered: {error}")
        else:
            taken.setdefault(path.parent, set()).add(final_path(path).name)
    for folder, names in taken.items():
        sweep_side_cars(folder, names)
    return found


def count_once(tails: Iterable[Tail]) -> tuple[int, int]:
    """Return how many events there are in tails, each once in however many streams it is."""
    by_sender: dict[int, list[Tail]] = {}
    for each in tails:
        by_sender.setdefault(each.sender, []).append(each)
    events = octets = 0
    for several in by_sender.values():
        sequences = np.concatenate([each.sequences for each in several])
        sizes = np.concatenate([each.sizes for each in several])
        _, first = np.unique(sequences, return_index=True)
        events += len(first)
        octets += int(sizes[first].sum())
    return events, octets


def _files(run: int, volumes: Iterable[Path]) -> Iterator[Path]:
    for volume in volumes:
        folder = volume / f"{run:09}"
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                name = parts_of_name(path)
                if name is not None and name[1] == run:
                    yield path


def _take_one(path: Path, marks: dict[int, int], clock: Clock, found: Leftovers) -> None:
    side_car = read_side_car(path)
    is_part = path.name.endswith(PART_SUFFIX)
    if side_car is not None and (not is_part or side_car.state == FileState.ERROR):
        stream = side_car.header.stream.name
        found.finished.setdefault(stream, []).append(_described(path, side_car))
    elif is_part:
        recovered = recover(path, clock=clock)
        for text in recovered.cut:
            log.warning("%s: %s", path, text)
        stream = recovered.header.stream.name
        found.writers.setdefault(stream, []).append(EventFileWriter.resume(recovered, clock))
        side_car = read_side_car(path)
    else:
        found.lost.append(f"{path} has no side-car: verify it")
        return
    if side_car is None or _has_tail(side_car, marks):
        found.tails += _tails(path, stream, marks, _sure_bytes(path, side_car))


def _has_tail(side_car: SideCar, marks: dict[int, int]) -> bool:
    known = {sender_name(sender): durable for sender, durable in marks.items()}
    return any(last > known.get(name, 0) for name, last in side_car.summary.senders.items())


def _sure_bytes(path: Path, side_car: SideCar | None) -> int:
    """Return how much of a file counts: what one in ERROR has behind that, another file has."""
    size = path.stat().st_size
    if side_car is None or side_car.state != FileState.ERROR or side_car.durable_bytes is None:
        return size
    return min(size, side_car.durable_bytes)


def _entries(path: Path, sure: int) -> Iterator[Entries]:
    """Yield what the first bytes of a file hold."""
    table = read_content(path).table
    for number in range(len(table.sections)):
        entries, places = table.entries(number)
        yield entries[places[1:] <= sure]


def _tails(path: Path, stream: str, marks: dict[int, int], sure: int) -> Iterator[Tail]:
    for entries in _entries(path, sure):
        for sender in np.unique(entries["sender"]).tolist():
            behind = (entries["sender"] == sender) & (
                entries["sequence"] > np.uint64(marks.get(sender, 0))
            )
            if behind.any():
                own = entries[behind]
                yield Tail(
                    sender=sender, stream=stream, sequences=own["sequence"], sizes=own["size"]
                )


def _described(path: Path, side_car: SideCar) -> WrittenFile:
    summary, trailer = side_car.summary, side_car.trailer
    is_failed = side_car.state == FileState.ERROR
    sure = _sure_bytes(path, side_car)
    if sure < summary.bytes:
        tally = Tally()
        for entries in _entries(path, sure):
            tally.add(entries)
        summary = tally.summary(sure)
    return WrittenFile(
        path=str(path),
        stream=side_car.header.stream.name,
        kind=side_car.header.kind,
        state=FileState.ERROR if is_failed else FileState.CLOSED,
        events=summary.events,
        size_bytes=sure,
        durable_bytes=sure,
        first_event=summary.first_event,
        last_event=summary.last_event,
        first_lbn=summary.first_lbn,
        last_lbn=summary.last_lbn,
        digest=side_car.digest,
        reason_closed=trailer.reason_closed if trailer else "",
        problem=side_car.problem or ("it could not be written" if is_failed else ""),
    )
