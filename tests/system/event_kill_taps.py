"""What a sender that may be killed writes down of itself, and what its events look like."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.event_kill_files import Found

LBN_S = 2.0
"""A luminosity block lasts so long, for all senders alike."""

STREAM_IDS = (1, 2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An event as it is sent."""

    run: int
    event: int
    lbn: int
    streams: tuple[int, ...]
    payload: bytes

    def is_in(self, found: Found) -> bool:
        """Tell whether it is what was found in a file."""
        told = (found.run, found.event, found.lbn, found.streams, found.payload)
        return told == (self.run, self.event, self.lbn, self.streams, self.payload)


def made(seed: int, run: int, event: int, lbn: int) -> Made:
    """Make an event; the same whenever it is made. Numbers of a sender begin at its seed times a million."""
    chance = random.Random(f"{seed} {event}")
    streams = tuple(sorted(chance.sample(STREAM_IDS, chance.choice((1, 1, 1, 2, 3)))))
    size = chance.choice((0, 64, 200, 1000, 1000, 5000))
    payload = chance.randbytes(size)
    return Made(run=run, event=event, lbn=lbn, streams=streams, payload=payload)


@dataclass(slots=True)
class Start:
    """A start of a sender.

    Attributes:
        events: What it sent, in this order, with the luminosity block; the last ones perhaps not.
        kept: So many of them were on its own disk for sure.
        durable: So many it was told to be durable.
        has_ended: It has ended of itself, when all was durable.
    """

    events: list[tuple[int, int]] = field(default_factory=list)
    kept: int = 0
    durable: int = 0
    has_ended: bool = False


@dataclass(slots=True)
class Tap:
    """All starts of a sender."""

    seed: int
    starts: list[Start] = field(default_factory=list)

    def sent(self) -> set[int]:
        """Return all events that were sent, as far as is known."""
        return {event for each in self.starts for event, _ in each.events}


class TapWriter:
    """Writes a line at a time; what is written survives the process.

    Args:
        path: The file; continued when it is there.
        seed: Of the sender.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.write(f"start {seed}")

    def write(self, line: str) -> None:
        """Write a line."""
        os.write(self._file, f"{line}\n".encode())

    def close(self) -> None:
        """Say that it has ended well: all was durable."""
        self.write("end")
        os.close(self._file)


def read_tap(path: Path) -> Tap:
    """Read what all starts of a sender have written."""
    tap = Tap(seed=0)
    for line in path.read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "start":
            tap.seed = int(rest)
            tap.starts.append(Start())
        elif word == "sent":
            first, last, lbn = map(int, rest.split())
            tap.starts[-1].events += [(event, lbn) for event in range(first, last + 1)]
        elif word == "kept":
            tap.starts[-1].kept = int(rest)
        elif word == "durable":
            tap.starts[-1].durable = int(rest)
        else:
            tap.starts[-1].has_ended = True
    return tap
