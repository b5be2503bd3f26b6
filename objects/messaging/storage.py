"""What a channel keeps on disk, and gets back when it is started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from idl_like_interfaces.events import JournalStats, QoS
from objects.messaging.chunk import Chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierAccount:
    """What is known of one incarnation of a supplier; see ``SupplierStats``.

    Attributes:
        next: Number that its next event will have.
    """

    source: str
    incarnation: str
    next: int
    accepted: int
    duplicates: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableCursor:
    """A durable subscription: its name, what it wants, and what it has acknowledged."""

    name: str
    topics: list[str]
    qos: QoS
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a channel knows besides the events that it holds.

    Attributes:
        epoch: Of the channel.
        last: Sequence number of the newest event that is counted here.
        suppliers: In the order of their last batch.
        topics: Events accepted for each topic.
        latest: The newest event of each topic, each in a chunk of its own, by sequence number.
        durables: All durable subscriptions.
    """

    epoch: str
    last: int
    suppliers: list[SupplierAccount] = field(default_factory=list)
    topics: dict[str, int] = field(default_factory=dict)
    latest: list[Chunk] = field(default_factory=list)
    durables: list[DurableCursor] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was found on disk.

    Attributes:
        checkpoint: The oldest one from which all that follows is known.
        chunks: What came behind it, in order; where sequence numbers are missing between two of
            them, or before the first, events are damaged.
        last: Sequence number of the newest event that is known to have been accepted.
        durables: The durable subscriptions as they were last.
    """

    checkpoint: Checkpoint
    chunks: list[Chunk]
    last: int
    durables: list[DurableCursor]


class Storage(Protocol):
    """A journal on disk. Called under the channel's lock, by one thread at a time.

    What fails here (a full disk, a broken one) never stops the channel: it is told in ``stats``,
    tried again, and what is held in memory is written as soon as that is possible.
    """

    def recover(self) -> Recovered | None:
        """Return what was kept; ``None``: nothing was, or nothing of it can be used."""

    def append(self, chunk: Chunk, checkpoint: Callable[[], Checkpoint]) -> None:
        """Keep a chunk; on return it survives a kill -9 of the channel, if the disk takes it.

        Args:
            chunk: The newest.
            checkpoint: What is known before the chunk; called when a new file is begun.
        """

    def trim(self, first_held: int) -> None:
        """Events before this sequence number are held no longer; their files may go."""

    def keep(self, durables: list[DurableCursor]) -> None:
        """Keep the durable subscriptions (soon; a second of them may be lost by a kill -9)."""

    def stats(self) -> JournalStats:
        """Say how it stands."""

    def close(self) -> None:
        """Write what is not written yet, and end."""
