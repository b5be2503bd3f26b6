"""Events that are made up: the same ones for the same seed, on any day and any machine."""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_message import LARGEST_PAYLOAD
from objects.logger_stream.tally import Tally

Sizes = Callable[[float], int]
"""Gives the size for a number from 0 to 1: the inverse of the distribution."""

_POOL: Final = 1 << 20
_MASK: Final = (1 << 64) - 1
_FAIR: Final = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeEvent:
    """An event.

    Attributes:
        event: Its number.
        lbn: Its luminosity block.
        streams: Ids of its streams.
        payload: Its bytes; a view of a shared pool when it is small.
    """

    event: int
    lbn: int
    streams: tuple[int, ...]
    payload: memoryview


class MadeEvents:
    """Makes events; each follows from the seed, the run and its number alone.

    Args:
        run: Run number.
        sizes: Distribution of the sizes.
        mix: Streams and how often they come, see ``mix_of``.
        lbn_every: Events of one luminosity block.
        seed: Of all that is left to chance.
    """

    def __init__(
        self, run: int, sizes: Sizes, mix: Mix, lbn_every: int = 1000, seed: int = 1
    ) -> None:
        self._sizes = sizes
        self._mix = mix
        self._lbn_every = lbn_every
        self._start = _mixed(seed * 0x9E3779B97F4A7C15 + run)
        pool = random.Random(self._start).randbytes(_POOL)  # noqa: S311 (keeps no secret)
        # A payload begins anywhere in the first half and fits, up to many times the pool.
        self._pool = memoryview(pool * (2 + LARGEST_PAYLOAD // _POOL))

    def event(self, number: int) -> MadeEvent:
        """Return an event by its number, from 1."""
        chance = _mixed(self._start + number)
        size = self._sizes((chance >> 11) / _FAIR)
        chance = _mixed(chance)
        streams = self._mix.choose((chance >> 11) / _FAIR)
        begin = chance % _POOL
        return MadeEvent(
            event=number,
            lbn=1 + (number - 1) // self._lbn_every,
            streams=streams,
            payload=self._pool[begin : begin + size],
        )


class Mix:
    """Combinations of streams with their shares."""

    def __init__(self, choices: list[tuple[tuple[int, ...], float]]) -> None:
        self._streams = [streams for streams, _ in choices]
        total = sum(share for _, share in choices)
        self._bounds = [each / total for each in accumulate(share for _, share in choices)]

    @property
    def ids(self) -> set[int]:
        """All stream ids."""
        return {id for streams in self._streams for id in streams}

    def choose(self, chance: float) -> tuple[int, ...]:
        """Return the streams for a number from 0 to 1."""
        at = bisect_left(self._bounds, chance)
        return self._streams[min(at, len(self._streams) - 1)]


def mix_of(text: str) -> Mix:
    """Read a mix: ``1:0.7,2:0.2,1+2:0.1``; a share that is left out is 1.

    Raises:
        BadParam: It is no mix.
    """
    choices = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+(?:\+\d+)*)(?::(\d*\.?\d+))?\s*", part)
        if found is None or float(found[2] or 1) <= 0:
            raise BadParam(
                f"{part!r} is no part of a mix of streams",
                field="streams",
                remedy="give stream ids and shares, e.g. 1:0.7,2:0.2,1+2:0.1",
            )
        ids = tuple(int(each) for each in found[1].split("+"))
        choices.append((ids, float(found[2] or 1)))
    return Mix(choices)


def sizes_of(text: str) -> Sizes:
    """Read a distribution of sizes in bytes: ``1024``, ``200..4000``, ``exp:250k``, ``normal:250k,50k``.

    Raises:
        BadParam: It is none.
    """
    found = re.fullmatch(r"(?:(exp|normal):)?(\d+[kM]?)(?:(\.\.|,)(\d+[kM]?))?", text.strip())
    kind = found and (found[1] or found[3] or "")
    if found is not None and kind in {"", "..", "exp"} and (kind == "..") == bool(found[4]):
        first, second = _bytes(found[2]), _bytes(found[4] or "0")
        if kind == "exp":
            return lambda chance: _bounded(-first * math.log1p(-min(chance, 1 - 1e-12)))
        return lambda chance: _bounded(first + chance * max(0, second - first))
    if found is not None and kind == "normal" and found[3] == ",":
        first, second = _bytes(found[2]), _bytes(found[4])
        from statistics import NormalDist

        bell = NormalDist(first, max(second, 1e-9))
        return lambda chance: _bounded(bell.inv_cdf(min(max(chance, 1e-12), 1 - 1e-12)))
    raise BadParam(
        f"{text!r} is no distribution of sizes",
        field="size",
        remedy="give bytes as 1024, 200..4000, exp:250k (mean) or normal:250k,50k (mean, sigma)",
    )


def tally_of(events: MadeEvents, run: int, first: int, count: int) -> Tally:
    """Count events that are made, without sending them."""
    tally = Tally()
    for number in range(first, first + count):
        made = events.event(number)
        tally.add(run, number, made.lbn, made.payload, made.streams)
    return tally


def _bounded(size: float) -> int:
    return min(max(0, round(size)), LARGEST_PAYLOAD)


def _bytes(text: str) -> int:
    factor = {"k": 1000, "M": 1_000_000}.get(text[-1], 1)
    return int(text.rstrip("kM")) * factor


def _mixed(number: int) -> int:
    """Spread a number over 64 bits (the finalizer of splitmix64)."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB & _MASK
    return number ^ (number >> 31)
