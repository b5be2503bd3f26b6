"""What goes with log records on their way: which batch, and for how many they stood when lost."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from idl_like_interfaces.clients.spooler import Parcel
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.logs import LogBatch, LogRecord

SPOOL_WAS_FULL = "the sender's spool was full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What was lost of that which a spool was given.

    Attributes:
        refused: Records that the service refused; each counts for those it stood for.
        folded: Records for which folded ones stood that were dropped or refused, without them.
    """

    refused: int
    folded: int


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
        self._lock = threading.Lock()
        self._noted = 0
        self._folds: deque[tuple[int, int]] = deque()
        self._batch: LogBatch | None = None
        self._owed = 0
        self._owed_why = ""
        self._refused = self._lost_folded = 0

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
        return self._batch

    def refuse(self, batch: LogBatch, error: RemoteError) -> None:
        """Owe the loss of a refused batch, and what it told of, to the next one."""
        refused = sum(record.count for record in batch.records)
        with self._lock:
            self._refused += refused
            self._lost_folded += refused - len(batch.records)
        self._owed = batch.lost + refused
        self._owed_why = f"refused: {error.message}"
        self._batch = None

    def losses(self) -> Losses:
        """Return what is known to be lost."""
        with self._lock:
            return Losses(refused=self._refused, folded=self._lost_folded)

    def _dropped_folds(self, parcel: Parcel[LogRecord]) -> int:
        last = parcel.first + len(parcel.items) - 1
        dropped = 0
        while self._folds and self._folds[0][0] <= last:
            number, folded = self._folds.popleft()
            dropped += folded if number < parcel.first else 0
        with self._lock:
            self._lost_folded += dropped
        return dropped
