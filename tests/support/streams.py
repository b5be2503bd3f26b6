"""Streams with real files, for tests: a place for them, events for them, what they told."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.event_files import FileHeader
from idl_like_interfaces.event_logger import (
    FileKind,
    FileState,
    StreamConfiguration,
    StreamParameters,
    WrittenFile,
)
from objects.component.clock import Clock
from objects.logger_stream.files.recovery import recover
from objects.logger_stream.files.sidecar import read_side_car
from objects.logger_stream.files.writer import EventFileWriter
from objects.logger_stream.parsing import parse
from objects.logger_stream.records import Records
from objects.logger_stream.stream import Stream
from objects.logger_stream.surroundings import StreamListener, Surroundings, Takeover
from objects.logger_stream.volumes import Volumes
from tests.support.clock import ManualClock
from tests.support.event_batches import batch, event
from tests.support.eventually import eventually

RUN = 7

MIB = 1 << 20


class Heard(StreamListener):
    """Keeps what streams told."""

    def __init__(self) -> None:
        self.opened: list[WrittenFile] = []
        self.closed: list[WrittenFile] = []
        self.failed: list[WrittenFile] = []
        self.troubles: list[str] = []
        self.recoveries = 0
        self.lost = 0

    @override
    def file_opened(self, file: WrittenFile) -> None:
        self.opened.append(file)

    @override
    def file_closed(self, file: WrittenFile) -> None:
        self.closed.append(file)

    @override
    def file_failed(self, file: WrittenFile) -> None:
        self.failed.append(file)

    @override
    def stream_troubled(self, stream: str, problem: str) -> None:
        self.troubles.append(problem)

    @override
    def stream_recovered(self, stream: str) -> None:
        self.recoveries += 1

    @override
    def events_lost(self, stream: str, count: int, reason: str) -> None:
        self.lost += count


class Bench:
    """A place where streams can be begun; ended with it.

    Args:
        root: Folder of the volumes.
        clock: The time; without: one that stands still.
    """

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self.manual = ManualClock()
        self.clock = clock or self.manual
        self.volumes = Volumes(root, self.clock)
        self.heard = Heard()
        self.streams: list[Stream] = []

    def stream(
        self, takeover: Takeover | None = None, *, name: str = "all", **said: object
    ) -> Stream:
        """Begin a stream; what is not said is as always, its volume is ``v0``."""
        parameters = StreamParameters(**{"volumes": ["v0"], **said})  # type: ignore[arg-type]
        configuration = StreamConfiguration(name=name, id=1, parameters=parameters)
        stream = Stream(configuration, self.around(), takeover or Takeover())
        self.streams.append(stream)
        return stream

    def around(self) -> Surroundings:
        """Return what a stream finds here."""
        return Surroundings(
            run=RUN,
            clock=self.clock,
            volumes=self.volumes,
            header=self.header,
            listener=self.heard,
        )

    def header(self, stream: StreamConfiguration, number: int, kind: FileKind) -> FileHeader:
        """Return the first record of a file."""
        return FileHeader(
            run=RUN,
            stream=stream,
            sequence=number,
            kind=kind,
            opened=self.clock.utc(),
            logger="logger",
            incarnation="1",
            host="here",
        )

    def later(self, seconds: float) -> None:
        """Let time pass for all streams."""
        self.manual.advance(seconds)
        for each in self.streams:
            each.wake()

    def leave(self, root: Path) -> None:
        """Copy all files as they are now, as a crash would leave them, to another place."""
        shutil.copytree(self.root, root)

    def taken_over(self) -> Takeover:
        """Recover all files here that were not closed, as the next start of a logger does."""
        paths = sorted(self.root.rglob("*.raw"))
        parts = sorted(self.root.rglob("*.raw.part"))
        return Takeover(
            finished=tuple(map(closed_file, paths)),
            writers=tuple(EventFileWriter.resume(recover(each), self.clock) for each in parts),
        )

    def close(self) -> None:
        """End all streams."""
        for each in self.streams:
            each.abort("the test ends")
        self.volumes.free_ballast()


@contextmanager
def bench(root: Path, clock: Clock | None = None) -> Iterator[Bench]:
    """Give a place for streams."""
    made = Bench(root, clock)
    try:
        yield made
    finally:
        made.close()


def records(numbers: Iterable[int], lbn: int | Sequence[int] = 1, size: int = 100) -> Records:
    """Return events of these numbers, which are their sequences, too.

    Args:
        numbers: Of the events.
        lbn: Luminosity block of all, or of each.
        size: Bytes of the payload.
    """
    given = list(numbers)
    lbns = [lbn] * len(given) if isinstance(lbn, int) else lbn
    made = zip(given, lbns, strict=True)
    return parse(
        batch(event(n, run=RUN, lbn=block, payload=bytes(size)) for n, block in made)
    ).records


def feed(stream: Stream, given: Records) -> None:
    """Give all records to a stream, and wait until its thread has appended them."""
    while len(given):
        given = given.tail(stream.put(given))
    settle(stream)


def settle(stream: Stream) -> None:
    """Wait until nothing is on the way."""
    eventually(lambda: stream.status().queue_events == 0, "the stream has written all")


def closed_file(path: Path) -> WrittenFile:
    """Return what the side-car of a closed file tells."""
    side_car = read_side_car(path)
    assert side_car is not None
    assert side_car.trailer is not None
    summary = side_car.summary
    return WrittenFile(
        path=str(path),
        stream=side_car.header.stream.name,
        kind=side_car.header.kind,
        state=FileState.CLOSED,
        events=summary.events,
        size_bytes=path.stat().st_size,
        first_event=summary.first_event,
        last_event=summary.last_event,
        first_lbn=summary.first_lbn,
        last_lbn=summary.last_lbn,
        digest=side_car.digest,
        reason_closed=side_car.trailer.reason_closed,
    )


def numbers_in(path: str | Path) -> list[int]:
    """Return the numbers of the events in a file, in its order."""
    octets = Path(path).read_bytes()
    return [int(n) for n in parse(octets).records.index["event"]]


def lbns_in(path: str | Path) -> set[int]:
    """Return the luminosity blocks in a file."""
    return {int(n) for n in parse(Path(path).read_bytes()).records.index["lbn"]}


def of_state(stream: Stream, state: FileState) -> list[WrittenFile]:
    """Return the files of a stream that are in a state."""
    return [each for each in stream.files() if each.state is state]
