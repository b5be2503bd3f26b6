"""A process with one stream that writes numbered events until it is killed; see the test.

It takes up the files of the processes before it and goes on behind the last event that is in
them, as a sender does. It says on its output ``resumed N``, then again and again ``flushed N``
or ``durable N``: all events up to N are with the system, or on the disk. Told ``end`` on its
input it ends in good order.
"""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path

from objects.component.clock import SystemClock
from objects.logger_stream.stream import Stream
from tests.support.streams import Bench, numbers_in, records

EVENTS_OF_BLOCK = 50


def main(root: Path, seed: int) -> None:
    """Write until the input says ``end``, or for ever."""
    told = threading.Event()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    place = Bench(root, SystemClock())
    takeover = place.taken_over()
    last = max((n for each in _files(root) for n in numbers_in(each)), default=0)
    stream = place.stream(
        takeover,
        max_events=400,
        flush_period_s=0.02,
        sync_period_s=0.05,
        range_grace_s=0.1,
    )
    _say("resumed", last)
    _write(stream, last, random.Random(seed), told)
    stream.end("end of run")
    place.close()
    _say("ended", stream.status().events)


def _write(stream: Stream, last: int, chance: random.Random, told: threading.Event) -> None:
    tickets: dict[int, int] = {}
    told_durable = 0
    while not told.is_set():
        count = chance.randrange(1, 60)
        numbers = range(last + 1, last + 1 + count)
        given = records(numbers, [n // EVENTS_OF_BLOCK for n in numbers], chance.randrange(2000))
        last += stream.put(given)
        tickets[stream.last_ticket] = last
        durable = stream.durable_ticket
        if durable > told_durable:
            told_durable = durable
            _say("durable", tickets[durable])
        if chance.random() < 0.05:
            _say_when_flushed(stream, last, told)


def _say_when_flushed(stream: Stream, last: int, told: threading.Event) -> None:
    pause = threading.Event()
    while not told.is_set():
        found = max((n for each in _parts(stream) for n in _whole(each)), default=0)
        if found >= last:
            _say("flushed", last)
            return
        pause.wait(0.005)


def _whole(path: Path) -> list[int]:
    try:
        return numbers_in(path)
    except (OSError, ValueError):
        return []  # it is just being closed, or written


def _parts(stream: Stream) -> list[Path]:
    return [Path(each.path) for each in stream.files()[-2:]]


def _files(root: Path) -> list[Path]:
    return [*root.rglob("*.raw"), *root.rglob("*.raw.part")]


def _listen(told: threading.Event) -> None:
    if sys.stdin.readline():
        told.set()


def _say(what: str, number: int) -> None:
    sys.stdout.write(f"{what} {number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
