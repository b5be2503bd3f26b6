"""A batch on its way into the streams; what they could not take yet is tried again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from idl_like_interfaces.waiting import News
from objects.logger_stream.records import Numbers, Records
from objects.logger_stream.routing import Plan, Share, plan
from objects.logger_stream.runs import Runs
from objects.logger_stream.senders import Sender

MOST_TYPES = 64
FURTHER = "further types"
"""Stands for the types that come after the first ``MOST_TYPES`` of a sender."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """A batch of a sender; who uses it holds the sender's lock.

    Attributes:
        records: Events that are right.
        sequences: Their numbers.
        last: Number of the last message of the batch, of whatever kind.
        others: Numbers and types of the other messages; no type: they are damaged.
        turn: Which call of its sender brought it.
        rooms: Where news comes from of the room that it waits for.
        is_paused: It waits for somebody's word, not for room.
        reason: For what it waits.
        refused: Messages that were taken out.
        unassigned: Events that were accepted by stream id that nobody has configured.
    """

    records: Records
    sequences: Numbers
    last: int
    others: list[tuple[int, str]]
    turn: int = 0
    rooms: list[News] = field(default_factory=list)
    is_paused: bool = False
    reason: str = ""
    refused: int = 0
    unassigned: Counter[int] = field(default_factory=Counter)

    def attempt(self, sender: Sender, runs: Runs) -> bool:
        """Put into the streams what there is room for; tell whether that is all."""
        self._forget_accepted(sender.accepted)
        planned = plan(self.records, runs)
        self.is_paused, self.reason = planned.end < len(self.records), planned.reason
        self.rooms = []
        stop = int(self.sequences[planned.end]) if self.is_paused else self.last + 1
        for share in planned.shares:
            missing = self._put(share, sender, runs)
            stop = min(stop, missing or stop)
        if self.rooms:
            self.reason = self.reason or "the queue of a stream is full"
        self._accept(stop - 1, planned, sender)
        return sender.accepted >= self.last

    def _forget_accepted(self, accepted: int) -> None:
        count = int(np.searchsorted(self.sequences, np.uint64(accepted), side="right"))
        if count:
            self.records, self.sequences = self.records.tail(count), self.sequences[count:]
        self.others = [each for each in self.others if each[0] > accepted]

    def _put(self, share: Share, sender: Sender, runs: Runs) -> int:
        """Give a stream its part; return the number of the first that it did not take, or 0."""
        rows = share.rows[sender.awaited(share.target, self.sequences[share.rows], share.key)]
        if not len(rows):
            return 0
        part = Records(self.records.view, self.records.index[rows]).own()
        stream = share.stream
        if stream is None:
            runs.stray(share.run, part, sender.identity.name, sender.present)
            sender.refused += len(rows)
            self.refused += len(rows)
            taken = len(rows)
        else:
            taken = stream.put(part)
        if taken:
            sender.took(share.target, int(self.sequences[rows[taken - 1]]))
            if stream is not None:
                sender.wait_for(stream, stream.last_ticket)
        if stream is None or taken == len(rows):
            return 0
        self.rooms.append(stream.room)
        return int(self.sequences[rows[taken]])

    def _accept(self, last: int, planned: Plan, sender: Sender) -> None:
        if last <= sender.accepted:
            return
        count = int(np.searchsorted(self.sequences, np.uint64(last), side="right"))
        counts = self._count(count, planned, sender)
        for number, rows in planned.unassigned:
            self.unassigned[number] += int(np.searchsorted(rows, count))
        for type_ in (type_ for number, type_ in self.others if number <= last):
            self._take_out(type_, sender)
        sender.accept(last, counts)

    def _count(self, count: int, planned: Plan, sender: Sender) -> dict[int, tuple[int, int]]:
        """Count the first events for their runs; return what was counted with what was before."""
        index = self.records.index[:count]
        counts = {}
        for run in planned.runs:
            of_run = index["run"] == run.number
            if not of_run.any():
                continue
            sizes = index["size"][of_run]
            new = sender.uncounted(run.number, self.sequences[:count][of_run])
            run.count(int(new.sum()), int(sizes[new].sum()))
            counts[run.number] = len(sizes), int(sizes.sum())
            sender.runs.add(run.number)
        sender.present = next(
            (n for n in reversed(index["run"].tolist()) if n in counts), sender.present
        )
        return counts

    def _take_out(self, type_: str, sender: Sender) -> None:
        self.refused += 1
        if type_:
            sender.skipped[type_ if len(sender.skipped) < MOST_TYPES else FURTHER] += 1
        else:
            sender.refused += 1
