"""What a channel keeps on disk, and gets back when it is started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import JournalStats
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
        last: Sequence number of the newest event that is counted here; 0: there was none.
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
        checkpoint: The newest one that can be read. Who counts adds to it what came behind its
            ``last``: of the chunks those whose ``first`` is greater.
        chunks: All that can be read, in order, also those before the checkpoint; where sequence
            numbers are missing between two of them, before the first or behind the last, events
            are damaged. ``came`` is in the monotonic seconds of this process.
        forgotten: Events up to this one were held no longer; they are not missing.
        last: Sequence number of the newest event that is known to have been accepted.
        durables: The durable subscriptions as they were last.
    """

    checkpoint: Checkpoint
    chunks: list[Chunk]
    forgotten: int
    last: int
    durables: list[DurableCursor]


class Storage(Protocol):
    """A journal on disk. Called under the channel's lock (but ``stats``: by any thread).

    What fails here (a full disk, a broken one) never stops the channel: it is told in ``stats``,
    tried again, and what is held in memory is written as soon as that is possible.

    A *checkpoint* is a function that tells what the channel knows at the moment of the call, with
    all events that were appended; ``last`` is the newest of them. The newest function that was
    given may be called in any operation, also in ``close``.
    """

    def recover(self) -> Recovered | None:
        """Return what was kept; ``None``: begin a new epoch.

        Nothing was kept, nothing of it can be used, or events may have been accepted of which
        nothing is on disk, so that their numbers must not be given to others. Called once, first.
        """

    def append(self, chunk: Chunk, checkpoint: Callable[[], Checkpoint]) -> None:
        """Keep a chunk; on return it survives a kill -9 of the channel, if the disk takes it.

        Args:
            chunk: The newest.
            checkpoint: What is known with the chunk; called when a file is begun.
        """

    def attend(self, checkpoint: Callable[[], Checkpoint]) -> None:
        """Do what is due; call it when the channel begins, and then about once a second.

        Begins the journal of a new epoch, writes what could not be written before, and the
        durable subscriptions.
        """

    def trim(self, first_held: int) -> None:
        """Events before this sequence number are held no longer; their files may go."""

    def keep(self, durables: Callable[[], list[DurableCursor]]) -> None:
        """The durable subscriptions have changed; they are asked for once a second at most.

        The changes of the last second may be lost by a kill -9.
        """

    def stats(self) -> JournalStats:
        """Say how it stands; any thread may ask."""

    def close(self) -> None:
        """Write what is not written yet, and end; it is not called again."""
