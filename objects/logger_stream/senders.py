"""What the logger knows of a sender: how far its messages have come, and what became of them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np

from idl_like_interfaces.event_logger import SenderStatus
from idl_like_interfaces.event_server import SenderIdentity
from idl_like_interfaces.waiting import News
from objects.logger_stream.records import Mask, Numbers

HEARD_S = 30.0
"""Who was heard within so many seconds is connected: a long-poll lasts 25 s."""


class Ticketed(Protocol):
    """What tells how much of it is durable: a stream."""

    synced: News

    @property
    def durable_ticket(self) -> int:
        """All portions up to this one are synced."""

    def join(self, timeout_s: float | None = None) -> bool:
        """Return whether it has ended: more will not become durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Events of a sender behind its mark that a crash has left in the files of a stream.

    Attributes:
        sender: The incarnation.
        run: Their run.
        stream: Id of the stream.
        sequences: Their numbers.
        sizes: Bytes of the messages of each, with frames.
    """

    sender: int
    run: int
    stream: int
    sequences: Sequence[int]
    sizes: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderMark:
    """What must be remembered of a sender over a crash of the logger.

    Attributes:
        name: Its name.
        incarnation: Its start.
        durable: All messages up to this one are durable.
        last: The last that there will ever be; None: not known.
        counts: Events of it up to ``durable``, and bytes of their messages, by run.
    """

    name: str
    incarnation: int
    durable: int
    last: int | None = None
    counts: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Accepted messages that are not known to be durable yet.

    Attributes:
        last: Sequence of the last of them.
        tickets: What must be durable in each stream.
        counts: Events and bytes by run.
    """

    last: int
    tickets: dict[Ticketed, int]
    counts: dict[int, tuple[int, int]]


class Sender:
    """A start of a sender; who changes it holds ``lock``.

    Attributes:
        identity: As it said hello.
        lock: Orders what happens to its messages.
        changed: Told when there is something new to become durable, and when it is over.
        gave_way: Told when a later call of ``send`` came, and when it is over.
        accepted: All messages up to this one were taken, or taken out.
        durable: All up to this one are synced.
        last: The last that there will ever be; None: not known.
        turn: Counts its calls of ``send``: an older one that still waits gives way.
        successor: The start that has taken its place; 0: none.
        present: Run of the event that was accepted last; 0: none.
        runs: All runs of which it has sent events.
        duplicates: Messages that came again.
        refused: Messages that were taken out because they are damaged or of no run.
        skipped: Messages of other types.
        address: From where it spoke last.
    """

    def __init__(self, identity: SenderIdentity, heard: datetime, now: float) -> None:
        self.identity = identity
        self.lock = threading.RLock()
        self.changed = News()
        self.gave_way = News()
        self.accepted = self.durable = 0
        self.last: int | None = None
        self.turn = self.successor = self.present = 0
        self.runs: set[int] = set()
        self.duplicates = self.refused = 0
        self.skipped: Counter[str] = Counter()
        self.address = ""
        self._heard, self._heard_at = heard, now
        self._notes: deque[Note] = deque()
        self._tickets: dict[Ticketed, int] = {}
        # Of each stream the newest ticket that was waited for: the older ones come before it.
        self._pending: dict[Ticketed, int] = {}
        self._taken: dict[object, int] = {}
        self._counts: dict[int, tuple[int, int]] = {}
        self._recovered: dict[tuple[int, int], frozenset[int]] = {}
        self._was_counted: dict[int, dict[int, int]] = {}

    @property
    def is_over(self) -> bool:
        """A later start of it has said hello."""
        return bool(self.successor)

    def hear(self, heard: datetime, now: float, address: str = "") -> None:
        """Note that it spoke."""
        self._heard, self._heard_at = heard, now
        self.address = address or self.address

    def silent_s(self, now: float) -> float:
        """Return for how long it has said nothing, seconds."""
        return now - self._heard_at

    def restore(self, mark: SenderMark, recovered: Iterable[Recovered]) -> None:
        """Go on where a logger that crashed had come to."""
        self.accepted = self.durable = mark.durable
        self.last = mark.last
        self._counts = dict(mark.counts)
        self.runs = set(mark.counts)
        for each in recovered:
            sizes = dict(zip(each.sequences, each.sizes, strict=True))
            known = self._recovered.get((each.run, each.stream), frozenset())
            self._recovered[each.run, each.stream] = known | sizes.keys()
            self._was_counted.setdefault(each.run, {}).update(sizes)
            self.runs.add(each.run)
        self.present = max(self.runs, default=0)

    def take_word(self, acknowledged: int) -> None:
        """Believe it that messages are durable: we said so, and may have forgotten it."""
        if acknowledged > self.durable:
            self._count_recovered(self.accepted, acknowledged)
            self.durable = acknowledged
            self.accepted = max(self.accepted, acknowledged)
            while self._notes and self._notes[0].last <= acknowledged:
                self._add_counts(self._notes.popleft().counts)

    def _count_recovered(self, above: int, to: int) -> None:
        for run, sizes in self._was_counted.items():
            found = [size for sequence, size in sizes.items() if above < sequence <= to]
            self._add_counts({run: (len(found), sum(found))})

    def awaited(self, target: object, sequences: Numbers, key: tuple[int, int]) -> Mask:
        """Tell which messages a target has not taken yet.

        Args:
            target: A stream, or what else takes messages.
            sequences: Of the messages, rising.
            key: Run and id of the stream.
        """
        wanted: Mask = np.greater(sequences, self._taken.get(target, 0))
        known = self._recovered.get(key)
        if known:
            wanted &= ~np.isin(sequences, np.fromiter(known, np.uint64, len(known)))
        return wanted

    def uncounted(self, run: int, sequences: Numbers) -> Mask:
        """Tell which events were not counted for a run before the crash of a logger."""
        known = self._was_counted.get(run)
        if not known:
            return np.ones(len(sequences), np.bool_)
        return ~np.isin(sequences, np.fromiter(known, np.uint64, len(known)))

    def took(self, target: object, last: int) -> None:
        """Note up to which message a target has taken those that are for it."""
        self._taken[target] = last

    def wait_for(self, stream: Ticketed, ticket: int) -> None:
        """Note what must be durable before the messages are that are accepted next."""
        self._tickets[stream] = ticket

    def accept(self, last: int, counts: dict[int, tuple[int, int]]) -> None:
        """Note that all messages up to ``last`` are taken by all that must."""
        if last <= self.accepted:
            return
        self.accepted = last
        self._notes.append(Note(last=last, tickets=self._tickets, counts=counts))
        self._pending.update(self._tickets)
        self._tickets = {}
        self._taken = {each: to for each, to in self._taken.items() if to > last}
        self._forget_recovered(last)

    def _forget_recovered(self, last: int) -> None:
        if self._recovered and all(
            max(each, default=0) <= last for each in self._recovered.values()
        ):
            self._recovered, self._was_counted = {}, {}

    @property
    def is_settled(self) -> bool:
        """All that was accepted is known to be durable."""
        return not self._notes

    def settle(self) -> int:
        """Find out how far its messages are durable, and return it.

        What a stream that has ended could not write is told in the certificate of its run; its
        sender must not wait for it for ever.
        """
        notes = self._notes
        while notes and all(_is_settled(*each) for each in notes[0].tickets.items()):
            note = notes.popleft()
            self.durable = max(self.durable, note.last)
            self._add_counts(note.counts)
            self._forget_settled()
        return self.durable

    def unsettled(self) -> list[News]:
        """Return where news comes from of all that must become durable.

        Of all, not of the oldest note only: while somebody begins to listen to the streams of
        that one it may become durable, and nobody would listen to those of the next.
        """
        self._forget_settled()
        return [each.synced for each in self._pending]

    def _forget_settled(self) -> None:
        # Also of a sender that never waits: it must not keep the streams of runs that are over.
        self._pending = {
            each: at for each, at in self._pending.items() if not _is_settled(each, at)
        }

    def _add_counts(self, counts: Mapping[int, tuple[int, int]]) -> None:
        for run, (events, size) in counts.items():
            had = self._counts.get(run, (0, 0))
            self._counts[run] = had[0] + events, had[1] + size

    def mark(self) -> SenderMark:
        """Return what must be remembered of it."""
        durable = self.settle()
        return SenderMark(
            name=self.identity.name,
            incarnation=self.identity.incarnation,
            durable=durable,
            last=self.last,
            counts=dict(self._counts),
        )

    def forget_runs(self, active: Collection[int]) -> None:
        """Keep counts of active runs only."""
        self._counts = {run: each for run, each in self._counts.items() if run in active}
        self.runs &= set(active)

    def status(self, now: float) -> SenderStatus:
        """Return how it stands."""
        return SenderStatus(
            name=self.identity.name,
            incarnation=self.identity.incarnation,
            address=self.address or self.identity.host,
            is_connected=not self.is_over and self.silent_s(now) < HEARD_S,
            accepted=self.accepted,
            durable=self.settle(),
            duplicates=self.duplicates,
            refused=self.refused,
            skipped=dict(self.skipped),
            last_heard=self._heard,
        )


def _is_settled(stream: Ticketed, ticket: int) -> bool:
    return stream.durable_ticket >= ticket or stream.join(0.0)
