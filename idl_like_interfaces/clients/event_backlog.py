"""The messages of one start of a sender that the logger does not have for good."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

Message = tuple[int, bytes]
"""A sequence, and the framed message."""


@dataclass(slots=True, kw_only=True)
class Backlog:
    """Messages that wait, and those that were accepted and are not durable; no locks.

    Each message is kept until it is durable: what a crash of the logger takes back is sent again.

    Attributes:
        incarnation: Of the start.
        produced: Sequence of the last message that was made.
        accepted: All up to this one the logger has taken.
        durable: All up to this one it has on the disk.
        last: The last that there will ever be; None: more may come.
        size_bytes: Of all messages that are kept.
        waiting_bytes: Of those that were not accepted.
    """

    incarnation: int
    produced: int = 0
    accepted: int = 0
    durable: int = 0
    last: int | None = None
    size_bytes: int = 0
    waiting_bytes: int = 0
    _waiting: deque[Message] = field(default_factory=deque)
    _unsure: deque[Message] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._unsure)

    @property
    def is_waiting(self) -> bool:
        """There is something to send: messages, or the word that some never come."""
        return self.accepted < self.produced

    @property
    def is_unsure(self) -> bool:
        """Messages were accepted that are not known to be durable."""
        return self.durable < self.accepted

    @property
    def is_done(self) -> bool:
        """Everything is durable, or its gap is declared."""
        return self.durable >= self.produced

    @property
    def waiting(self) -> int:
        """Messages that were not accepted."""
        return len(self._waiting)

    def put(self, sequence: int, message: bytes) -> None:
        """Keep the message with the next sequence; numbers that are left out are a gap."""
        self._waiting.append((sequence, message))
        self.produced = sequence
        self.size_bytes += len(message)
        self.waiting_bytes += len(message)

    def gap(self) -> tuple[int, int] | None:
        """Return the first and the last of the messages that come next and are not there."""
        first = self.accepted + 1
        behind = self._waiting[0][0] if self._waiting else self.produced + 1
        return (first, behind - 1) if first < behind else None

    def batch(self, most_bytes: int, most: int) -> list[bytes]:
        """Return the next messages, without a hole between them; they stay."""
        found: list[bytes] = []
        size, awaited = 0, self.accepted + 1
        for sequence, message in self._waiting:
            size += len(message)
            if sequence != awaited or (found and size > most_bytes) or len(found) >= most:
                break
            found.append(message)
            awaited += 1
        return found

    def align(self, accepted: int | None, durable: int) -> None:
        """Take note of how far they have come.

        Args:
            accepted: May go back, when a logger has crashed; None: as far as is known.
            durable: What is durable was accepted, also when the answer that said so was lost.
        """
        waiting, unsure = self._waiting, self._unsure
        durable = max(durable, self.durable)
        accepted = max(self.accepted if accepted is None else accepted, durable)
        while waiting and waiting[0][0] <= accepted:
            unsure.append(waiting.popleft())
            self.waiting_bytes -= len(unsure[-1][1])
        while unsure and unsure[-1][0] > accepted:
            waiting.appendleft(unsure.pop())
            self.waiting_bytes += len(waiting[0][1])
        while unsure and unsure[0][0] <= durable:
            self.size_bytes -= len(unsure.popleft()[1])
        self.accepted, self.durable = accepted, durable

    def give_up(self) -> int:
        """Drop what was not accepted; return how many messages."""
        count = len(self._waiting)
        self.size_bytes -= self.waiting_bytes
        self.waiting_bytes = 0
        self._waiting.clear()
        return count
