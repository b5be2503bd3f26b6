"""What goes with log records on their way: which batch, and for how many they stood when lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from idl_like_interfaces.clients.spooler import Parcel
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LogBatch, LogRecord

SPOOL_WAS_FULL = "the sender's spool was full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Records for which lost ones stood, by what became of those; they themselves do not count.

    Attributes:
        spool: The spool was full.
        refused: The service refused them.
        closed: The sender ended before they were sent.
    """

    spool: int
    refused: int
    closed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.spool + self.refused + self.closed


class Manifest:
    """Makes batches of parcels, and counts folded records by what they stand for.

    A spool counts what it drops item by item; when a folded record is among them, those
    for which it stood are lost as well. ``note`` has any thread as caller (in the order of
    the spool), the rest only the one that sends.

    Args:
        component: Who sends.
        incarnation: Start of the component.
    """

    def __init__(self, component: str, incarnation: str) -> None:
        self._component = component
        self._incarnation = incarnation
        self._noted = 0
        self._folds: deque[tuple[int, int]] = deque()
        self._batch: LogBatch | None = None
        self._owed = 0
        self._owed_why = ""
        self._on_the_way = 0
        self._behind = Behind(spool=0, refused=0, closed=0)

    def note(self, record: LogRecord) -> None:
        """Remember a record that the spool has taken."""
        self._noted += 1
        if record.count > 1:
            self._folds.append((self._noted, record.count - 1))

    def batch(self, parcel: Parcel[LogRecord]) -> LogBatch:
        """Return the batch of a parcel; of one that is sent again, the same."""
        if self._batch is None or self._batch.first != parcel.first:
            lost = parcel.lost + self._dropped_folds(parcel)
            reasons = [SPOOL_WAS_FULL] * bool(lost) + [self._owed_why] * bool(self._owed)
            self._batch = LogBatch(
                component=self._component,
                incarnation=self._incarnation,
                first=parcel.first,
                records=parcel.items,
                lost=lost + self._owed,
                why="; ".join(reasons),
            )
            self._owed = 0
            self._on_the_way = sum(record.count for record in parcel.items) - len(parcel.items)
        return self._batch

    def deliver(self) -> None:
        """Note that the batch has arrived."""
        self._on_the_way = 0

    def refuse(self, batch: LogBatch, error: RemoteError) -> None:
        """Owe the loss of a refused batch, and what it told of, to the next one."""
        self._count(refused=self._on_the_way)
        self._owed = batch.lost + len(batch.records) + self._on_the_way
        self._owed_why = f"refused: {error.message}"
        self._on_the_way = 0
        self._batch = None

    def abandon(self) -> None:
        """Give up what has not arrived; the sender has ended."""
        self._count(closed=self._on_the_way + sum(folded for _, folded in self._folds))
        self._on_the_way = 0
        self._folds.clear()

    def behind_losses(self) -> Behind:
        """Return for how many further records the lost ones stood."""
        return self._behind

    def _count(self, spool: int = 0, refused: int = 0, closed: int = 0) -> None:
        known = self._behind
        self._behind = Behind(
            spool=known.spool + spool,
            refused=known.refused + refused,
            closed=known.closed + closed,
        )

    def _dropped_folds(self, parcel: Parcel[LogRecord]) -> int:
        last = parcel.first + len(parcel.items) - 1
        dropped = 0
        while self._folds and self._folds[0][0] <= last:
            number, folded = self._folds.popleft()
            dropped += folded if number < parcel.first else 0
        self._count(spool=dropped)
        return dropped
