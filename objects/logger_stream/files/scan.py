"""What a file holds from one byte to another, read from the data: events, documents, damages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from objects.logger_stream.files.frames import (
    Data,
    chain,
    chain_back,
    claimed_end,
    fault_of,
    judge,
    search,
    type_of,
)
from objects.logger_stream.files.index import Entries

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the bytes that are done, and with all of them."""

_BLOCK = 65_536
"""Records that are judged at once."""

TORN = "the file ends within a record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Events without a hole between them.

    Attributes:
        begin: Where the first one begins.
        end: Where the last one ends.
        entries: Theirs.
    """

    begin: int
    end: int
    entries: Entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A record that is no event.

    Attributes:
        begin: Where it begins.
        end: Where it ends.
        type: Its type.
    """

    begin: int
    end: int
    type: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes that are no whole record.

    Attributes:
        begin: Where they begin.
        end: Where the next whole record begins, or the file ends.
        reason: What is wrong.
    """

    begin: int
    end: int
    reason: str

    @property
    def text(self) -> str:
        """All of it in words."""
        return f"{self.end - self.begin} bytes from byte {self.begin} on: {self.reason}"


Piece: TypeAlias = Whole | Other | Damage


@dataclass(slots=True)
class _Scan:
    """One going through.

    Attributes:
        data: The file.
        end: Where it ends.
        back: Where the frames begin that can be followed back from the end; -1: not tried.
    """

    data: Data
    end: int
    back: int = field(default=-1)

    def pieces(self, begin: int) -> Iterator[Piece]:
        position = begin
        while position < self.end:
            starts, stop = chain(self.data, position, self.end, _BLOCK)
            if starts:
                yield from _judged(self.data, [*starts, stop])
            elif stop < self.end:
                stop, reason = self._next(stop)
                yield Damage(begin=position, end=stop, reason=reason)
            position = stop

    def _next(self, broken: int) -> tuple[int, str]:
        """Return where to go on behind a frame that does not close, and what is wrong with it."""
        claimed = claimed_end(self.data, broken, self.end)
        if claimed > self.end:
            return self.end, TORN
        # What claims its length twice is believed: a payload may hold records, too.
        if claimed:
            return search(self.data, claimed, self.end), "the lengths of a record disagree"
        if self.back < 0:
            self.back = chain_back(self.data, broken + 1, self.end)
        # Records behind the last damage are followed from the end; what seems to be one
        # before them may be in the payload of the damaged one, but need not.
        found = search(self.data, broken + 1, self.end)
        limit = self.back if self.back > broken else self.end
        if limit < self.end and _single(self.data, broken, limit):
            return limit, "the first length of a record is wrong"
        found = min(found, limit)
        return found, "no record" if found < self.end else f"no record, up to the end; {TORN}"


def scan(data: Data, begin: int, end: int, progress: Progress | None = None) -> Iterator[Piece]:
    """Go through a file from the begin of a record on.

    Neighbouring events come together, in blocks; so do neighbouring damages.

    Args:
        data: The file.
        begin: Where a record begins, or should.
        end: Where to stop.
        progress: Told how far it has come.
    """
    damage: Damage | None = None
    for piece in _Scan(data, end).pieces(begin):
        if isinstance(piece, Damage):
            first = damage or piece
            damage = Damage(begin=first.begin, end=piece.end, reason=first.reason)
        else:
            if damage is not None:
                yield damage
                damage = None
            yield piece
        if progress is not None:
            progress(piece.end, end)
    if damage is not None:
        yield damage


def _single(data: Data, broken: int, limit: int) -> bool:
    """Tell whether one record fills the bytes before a limit, by the length at its end."""
    length = int.from_bytes(data[limit - 4 : limit], "big")
    return limit - length - 8 == broken


def _judged(data: Data, bounds: list[int]) -> Iterator[Piece]:
    """Yield the pieces of frames that close."""
    places = np.array(bounds, np.int64)
    entries, strange = judge(data, places[:-1], places[1:])
    cuts = [-1, *strange.tolist(), len(entries)]
    for before, after in pairwise(cuts):
        if after - before > 1:
            yield Whole(
                begin=bounds[before + 1], end=bounds[after], entries=entries[before + 1 : after]
            )
        if after < len(entries):
            yield _strange(data, bounds[after], bounds[after + 1])


def _strange(data: Data, begin: int, end: int) -> Piece:
    if fault := fault_of(data, begin, end):
        return Damage(begin=begin, end=end, reason=f"a damaged record: {fault}")
    return Other(begin=begin, end=end, type=type_of(data, begin))
