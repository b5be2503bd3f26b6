"""What was published and what was delivered, as the processes themselves wrote it down."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

Line: TypeAlias = tuple[Any, ...]


def begin_again(path: Path, last: str = "") -> list[Line]:
    """Read a tap before it is written on; cut what its writer did not finish.

    Args:
        path: The tap; it need not exist.
        last: What stands at the end of each group of lines; empty: each line is a group.
    """
    data = path.read_bytes() if path.exists() else b""
    lines: list[Line] = []
    whole, end = 0, 0
    kept = 0
    for raw in data.splitlines(keepends=True):
        if not raw.endswith(b"\n"):
            break
        lines.append(msgspec.json.decode(raw))
        end += len(raw)
        if not last or lines[-1][0] == last:
            whole, kept = end, len(lines)
    if whole < len(data):
        with path.open("r+b") as stream:
            stream.truncate(whole)
    return lines[:kept]


class TapReader:
    """Reads what is new in a tap; one that was cut meanwhile had nothing behind its last group.

    Args:
        path: The tap; it need not exist yet.
        last: As for ``begin_again``.
    """

    def __init__(self, path: Path, last: str = "") -> None:
        self._path = path
        self._last = last
        self._end = 0

    def news(self) -> Iterator[Line]:
        """Return the lines since the last time, whole groups only."""
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            stream.seek(self._end)
            data = stream.read()
        group: list[Line] = []
        size = 0
        for raw in data.splitlines(keepends=True):
            if not raw.endswith(b"\n"):
                return
            group.append(msgspec.json.decode(raw))
            size += len(raw)
            if not self._last or group[-1][0] == self._last:
                self._end += size
                yield from group
                group, size = [], 0


@dataclass
class Sighting:
    """When a client was blind, by its own clock: the moments in turn, blind and seeing."""

    moments: list[tuple[str, float]] = field(default_factory=list)

    @property
    def is_blind(self) -> bool:
        """Whether it is just now."""
        return bool(self.moments) and self.moments[-1][0] == "blind"

    def first(self, what: str, since: float) -> float | None:
        """Return when it became so for the first time since a moment."""
        return next((at for kind, at in self.moments if kind == what and at >= since), None)


@dataclass
class Published(Sighting):
    """What a supplier says: which numbers it was about to publish, and which it did, and when."""

    intended: set[int] = field(default_factory=set)
    published: dict[int, float] = field(default_factory=dict)
    newest_at: float = 0.0

    def take(self, line: Line) -> None:
        """Read a line of its tap."""
        match line:
            case ("intent", number):
                self.intended.add(number)
            case ("published", number, at):
                self.published[number] = self.newest_at = at
            case (("blind" | "sees") as what, at):
                self.moments.append((what, at))
            case _:
                pass


@dataclass
class Delivered(Sighting):
    """What a consumer says: which numbers of which supplier came, in which order, and gaps."""

    numbers: dict[str, list[int]] = field(default_factory=dict)
    at: dict[str, list[float]] = field(default_factory=dict)
    gaps: list[Line] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)

    def highest(self, source: str) -> int:
        """Return the number that came last from a supplier."""
        return self.numbers.get(source, [0])[-1]

    def when(self, source: str, number: int) -> float:
        """Return when a number, or the first behind it, came."""
        return self.at[source][bisect_left(self.numbers[source], number)]

    def take(self, line: Line) -> None:
        """Read a line of its tap."""
        match line:
            case ("event", source, number, at):
                self.numbers.setdefault(source, []).append(number)
                self.at.setdefault(source, []).append(at)
            case ("gap", *rest):
                self.gaps.append(tuple(rest))
            case ("missing", found):
                self.missing = found
            case (("blind" | "sees") as what, at):
                self.moments.append((what, at))
            case _:
                pass


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One supplier's events as one consumer got them.

    Attributes:
        source: The supplier.
        published: How many it has published.
        lost: Numbers that were published, not before the consumer began, and did not come.
        repeated: Numbers that came more than once.
        strangers: Numbers that came and were never meant to be published.
        disordered: Numbers that came behind a higher one.
    """

    source: str
    published: int
    lost: set[int]
    repeated: set[int]
    strangers: set[int]
    disordered: set[int]

    @property
    def is_perfect(self) -> bool:
        """Whether each came once and in order."""
        return not (self.lost or self.repeated or self.strangers or self.disordered)


def compare(source: str, published: Published, delivered: Delivered) -> Comparison:
    """Compare to the event."""
    came = delivered.numbers.get(source, [])
    counts = Counter(came)
    highest, disordered = 0, set()
    for number in came:
        if number < highest:
            disordered.add(number)
        highest = max(highest, number)
    return Comparison(
        source=source,
        published=len(published.published),
        lost=set(published.published) - set(counts),
        repeated={number for number, count in counts.items() if count > 1},
        strangers=set(counts) - published.intended,
        disordered=disordered,
    )
