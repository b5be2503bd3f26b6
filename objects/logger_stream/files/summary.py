"""What a file holds, kept up to date batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from crc32c import crc32c

from idl_like_interfaces.event_files import FileSummary
from idl_like_interfaces.event_logger import GapNote
from objects.logger_stream.files.index import Entries

MOST_GAPS = 1000
"""Gaps that a file tells one by one."""


@dataclass(slots=True)
class Tally:
    """Counts of the events in a file.

    Attributes:
        events: How many.
        events_range: Least and greatest event number; None: there are no events.
        lbns: The same of luminosity blocks.
        senders: Greatest sequence of each.
        crc: CRC-32C of the checks of all.
        gaps: Messages that never came.
        recovered: What was cut off after a crash, in words.
    """

    events: int = 0
    events_range: tuple[int, int] | None = None
    lbns: tuple[int, int] | None = None
    senders: dict[int, int] = field(default_factory=dict)
    crc: int = 0
    gaps: list[GapNote] = field(default_factory=list)
    recovered: str = ""

    def add(self, entries: Entries) -> None:
        """Count events that were written."""
        if not len(entries):
            return
        self.events += len(entries)
        self.events_range = _widened(self.events_range, entries, "event")
        self.lbns = _widened(self.lbns, entries, "lbn")
        self.crc = crc32c(np.ascontiguousarray(entries["check"]).tobytes(), self.crc)
        for sender, last in last_sequences(entries).items():
            self.senders[sender] = max(last, self.senders.get(sender, 0))

    def note(self, gap: GapNote) -> None:
        """Note messages that never came; of very many the oldest are told together."""
        self.gaps.append(gap)
        if len(self.gaps) > MOST_GAPS:
            first, second = self.gaps[:2]
            reason = "several, told together because there are so many"
            count = first.count + second.count
            self.gaps[:2] = [
                GapNote(sender=second.sender, count=count, time=second.time, reason=reason)
            ]

    def summary(self, size: int) -> FileSummary:
        """Return what is told of a file of a size."""
        first_event, last_event = self.events_range or (0, 0)
        first_lbn, last_lbn = self.lbns or (0, 0)
        return FileSummary(
            events=self.events,
            bytes=size,
            first_event=first_event,
            last_event=last_event,
            first_lbn=first_lbn,
            last_lbn=last_lbn,
            senders={sender_name(each): last for each, last in sorted(self.senders.items())},
            gaps=list(self.gaps),
            recovered=self.recovered,
        )


def sender_name(sender: int) -> str:
    """Return how a summary names a sender."""
    return f"{sender:016x}"


def last_sequences(entries: Entries) -> dict[int, int]:
    """Return the greatest sequence of each sender in some entries."""
    senders, sequences = entries["sender"], entries["sequence"]
    if len(senders) and (senders == senders[0]).all():
        return {int(senders[0]): int(sequences.max())}
    found, which = np.unique(senders, return_inverse=True)
    last = np.zeros(len(found), np.uint64)
    np.maximum.at(last, which, sequences)
    return dict(zip(found.tolist(), last.tolist(), strict=True))


def _widened(range_: tuple[int, int] | None, entries: Entries, name: str) -> tuple[int, int]:
    least, greatest = int(entries[name].min()), int(entries[name].max())
    if range_ is None:
        return least, greatest
    return min(range_[0], least), max(range_[1], greatest)
