"""Checked event records: a run of framed messages, and an index of what is where in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from idl_like_interfaces.event_message import FRAME, HEADER
from idl_like_interfaces.octets import Buffer

Index: TypeAlias = npt.NDArray[np.void]
Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.integer[Any]]

INDEX: Final = np.dtype(
    [
        ("start", "<i8"),
        ("size", "<i4"),
        ("run", "<u4"),
        ("event", "<u4"),
        ("lbn", "<u4"),
        ("streams", "<u2"),
        ("sender", "<u8"),
        ("sequence", "<u8"),
        ("check", "<u4"),
    ]
)
"""Of a record: where its leading frame begins, its bytes with both frames, the number of its
stream ids, and what the header and the end of the message say."""

WASTE: Final = 4
"""A view that keeps a buffer so many times larger alive is copied."""


class Records:
    """Framed event messages that were checked, in order; usable from any thread, never changed.

    Attributes:
        view: The bytes; records may leave out parts of them.
        index: A row of ``INDEX`` for each record; ``start`` counts within ``view``.
    """

    __slots__ = ("index", "nbytes", "view")

    def __init__(self, view: Buffer, index: Index) -> None:
        self.view = memoryview(view).cast("B")
        self.index = index
        self.nbytes = int(index["size"].sum(dtype=np.int64))

    @classmethod
    def none(cls) -> Self:
        """Return no records."""
        return cls(b"", np.empty(0, INDEX))

    @classmethod
    def join(cls, several: Sequence[Records]) -> Records:
        """Join records, one behind the other; copies the bytes."""
        if len(several) == 1:
            return several[0]
        packed = [each.packed() for each in several]
        index = np.concatenate([each.index for each in packed]) if packed else np.empty(0, INDEX)
        begin = 0
        row = 0
        for each in packed:
            index["start"][row : row + len(each)] += begin
            begin, row = begin + each.nbytes, row + len(each)
        return cls(b"".join(each.view for each in packed), index)

    def __len__(self) -> int:
        return len(self.index)

    def select(self, mask: Mask) -> Records:
        """Return the records for which ``mask`` is true; shares the bytes."""
        return self if bool(mask.all()) else Records(self.view, self.index[mask])

    def head(self, count: int) -> Records:
        """Return the first ``count`` records; shares the bytes."""
        return self if count >= len(self.index) else Records(self.view, self.index[:count])

    def tail(self, count: int) -> Records:
        """Return the records without the first ``count``; shares the bytes."""
        return self if count <= 0 else Records(self.view, self.index[count:])

    def spans(self) -> list[memoryview]:
        """Return the framed bytes; records that stand next to each other are one view."""
        if not len(self.index):
            return []
        start = self.index["start"]
        end = start + self.index["size"]
        cuts = np.flatnonzero(start[1:] != end[:-1]) + 1
        begins = start[np.concatenate(([0], cuts))].tolist()
        ends = end[np.concatenate((cuts - 1, [len(start) - 1]))].tolist()
        return [self.view[a:b] for a, b in zip(begins, ends, strict=True)]

    def messages(self) -> Iterable[memoryview]:
        """Yield each message without its frames."""
        for start, size in zip(
            self.index["start"].tolist(), self.index["size"].tolist(), strict=True
        ):
            yield self.view[start + FRAME.size : start + size - FRAME.size]

    def packed(self) -> Records:
        """Return the same records in a buffer that holds nothing else; copies the bytes."""
        index = self.index.copy()
        ends = np.cumsum(index["size"], dtype=np.int64)
        index["start"] = ends - index["size"]
        return Records(b"".join(self.spans()), index)

    def own(self, waste: int = WASTE) -> Records:
        """Return the same records; packed when their buffer is ``waste`` times larger."""
        return self.packed() if memoryview(self.view.obj).nbytes > waste * self.nbytes else self

    def stream_ids(self) -> tuple[Numbers, Numbers]:
        """Return pairs of row and stream id, one for each id that an event names.

        Returns:
            The rows and the ids, as long as each other; not in the order of the rows when
            there are events with several ids.
        """
        counts = self.index["streams"]
        octets = np.frombuffer(self.view, np.uint8)
        at = self.index["start"] + FRAME.size + HEADER.size
        rows: list[npt.NDArray[np.int64]] = []
        ids: list[npt.NDArray[np.uint16]] = []
        left = np.flatnonzero(counts)
        number = 0
        while len(left):
            place = at[left] + 2 * number
            ids.append(octets[place].astype(np.uint16) | (octets[place + 1].astype(np.uint16) << 8))
            rows.append(left)
            number += 1
            left = left[counts[left] > number]
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.uint16)
        return np.concatenate(rows), np.concatenate(ids)
