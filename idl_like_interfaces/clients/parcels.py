"""What a spool holds, sends and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from idl_like_interfaces.accounts import Drop

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of a spool and of its batches.

    Attributes:
        spool_items: Items that wait at most; the oldest is dropped for a new one.
        spool_bytes: The same in bytes.
        batch_items: With so many items a batch goes at once.
        batch_bytes: The same in bytes (one larger item goes alone).
        window_s: How long a batch waits for more.
        heap: When more has piled up, batches are so many times larger: each costs a round
            trip, and a sender that is behind must catch up.
    """

    spool_items: int
    spool_bytes: int
    batch_items: int
    batch_bytes: int
    window_s: float
    heap: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel(Generic[Item]):
    """Consecutive items on their way; sent again unchanged until acknowledged.

    Attributes:
        first: Number of the first; items are numbered from 1.
        items: The items.
        lost: Items just before ``first`` that were dropped.
        incarnation: Whose numbers they are, when not those of this start.
    """

    first: int
    items: list[Item]
    lost: int
    incarnation: str = ""

    @property
    def last(self) -> int:
        """Number of the last."""
        return self.first + len(self.items) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Items that were dropped for one reason: how many, and between which numbers.

    Numbers are 0 when the items never got one (they came after the end).
    """

    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of the items: ``produced`` = acknowledged + dropped + still waiting.

    Attributes:
        produced: Items that were put in.
        acknowledged: Items that the peer has.
        dropped: Items that are lost, all reasons.
        losses: The same by reason: ``spool`` (it was full), ``refused`` (by the peer),
            ``closed`` (the end came first).
        drops: The same by reason and range.
    """

    produced: int
    acknowledged: int
    dropped: int
    losses: Mapping[str, Loss] = field(default_factory=dict)
    drops: Sequence[Drop] = ()
