"""Counts events by run, stream and luminosity block, so that two who counted can compare."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from idl_like_interfaces.octets import Buffer

_HEAD = msgspec.msgpack.Encoder()
_DIGEST_BYTES = 8
_WRAP = (1 << (8 * _DIGEST_BYTES)) - 1


class Count(Struct):
    """Events of one luminosity block of a stream.

    Attributes:
        events: How many.
        bytes: Of their payloads.
        digest: Sum of the digests of the events, modulo 2^64: tells one that is missing, twice
            there, or changed; the order does not matter.
    """

    events: int = 0
    bytes: int = 0
    digest: int = 0


class Tally:
    """What was sent, or what was found.

    Attributes:
        counts: By run, stream and luminosity block.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[int, str, int], Count] = {}

    def add(
        self, run: int, event: int, lbn: int, payload: Buffer, streams: Iterable[str | int]
    ) -> None:
        """Count an event in each of its streams, once.

        Args:
            run: Run number.
            event: Its number.
            lbn: Its luminosity block.
            payload: Its bytes.
            streams: Ids or names; both sides must use the same.
        """
        hashed = blake2b(_HEAD.encode((run, event, lbn)), digest_size=_DIGEST_BYTES)
        hashed.update(payload)
        digest = int.from_bytes(hashed.digest(), "little")
        size = len(payload)
        for stream in {str(each) for each in streams}:
            count = self.counts.setdefault((run, stream, lbn), Count())
            count.events += 1
            count.bytes += size
            count.digest = (count.digest + digest) & _WRAP

    @property
    def events(self) -> int:
        """Events of all streams; one of two streams counts twice."""
        return sum(each.events for each in self.counts.values())

    def differences(self, found: Tally) -> list[str]:
        """Say in words where what was found is not what was sent; empty: it is."""
        told = []
        for key in sorted(self.counts.keys() | found.counts.keys()):
            wanted, got = self.counts.get(key, Count()), found.counts.get(key, Count())
            if wanted == got:
                continue
            run, stream, lbn = key
            what = f"run {run}, stream {stream}, block {lbn}: "
            if (wanted.events, wanted.bytes) == (got.events, got.bytes):
                told.append(f"{what}{got.events} events, and some of them are others")
            else:
                told.append(
                    f"{what}{got.events} events ({got.bytes} bytes) instead of "
                    f"{wanted.events} ({wanted.bytes} bytes)"
                )
        return told

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        lines = [
            {
                "run": run, "stream": stream, "lbn": lbn, "events": count.events,
                "bytes": count.bytes, "digest": f"{count.digest:016x}",
            }
            for (run, stream, lbn), count in sorted(self.counts.items())
        ]  # fmt: skip
        path.write_bytes(msgspec.json.format(msgspec.json.encode({"counts": lines}), indent=1))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what was written."""
        made = cls()
        for each in msgspec.json.decode(path.read_bytes())["counts"]:
            made.counts[each["run"], each["stream"], each["lbn"]] = Count(
                events=each["events"], bytes=each["bytes"], digest=int(each["digest"], 16)
            )
        return made
